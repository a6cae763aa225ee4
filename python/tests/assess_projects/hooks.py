"""What hooks into Celery's worker."""

from functools import partial

from celery import Celery, bootsteps, signals
from celery.worker.control import inspect_command

from clean import SETTINGS

app = Celery("hooks")
app.conf.update(SETTINGS)


class Probe(bootsteps.StartStopStep):
    def start(self, parent):
        pass


app.steps["worker"].add(Probe)


@inspect_command()
def shelf_count(state):
    return 0


@signals.worker_ready.connect
def announce(**kwargs):
    pass


@signals.worker_init.connect(retry=True)
def connect_database(**kwargs):
    pass


@signals.task_prerun.connect
def note_start(**kwargs):
    pass


@signals.setup_logging.connect
def set_up(**kwargs):
    pass


@signals.beat_init.connect
def of_beat(**kwargs):
    pass


class Meter:
    def stop(self, **kwargs):
        pass


meter = Meter()
signals.worker_shutdown.connect(meter.stop)
counted = partial(announce, count=1)
signals.task_revoked.connect(counted)
