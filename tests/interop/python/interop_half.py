"""An application that knows one task only, and gives back what it does not know if it is told to."""

import os

from celery import Celery
from celery.worker.consumer import Consumer
from interop_app import Witnessed

URL = os.environ["INTEROP_URL"]

app = Celery("half", broker=URL, backend=URL)
app.conf.broker_connection_retry_on_startup = True
app.conf.worker_prefetch_multiplier = 1


class GivesBack(Consumer):
    """Puts what only others know back into its queue after a moment, instead of dropping it."""

    def on_unknown_task(self, body, message, exc):
        self.timer.call_after(1.0, message.requeue)


if os.environ.get("INTEROP_GIVES_BACK"):
    app.conf.worker_consumer = GivesBack


@app.task(name="interop.theirs", base=Witnessed)
def theirs():
    pass
