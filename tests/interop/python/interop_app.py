"""The tasks of the interop tests, as a user of Celery writes them, and a witness of their runs."""

import os
import time

from celery import Celery, Task

URL = os.environ["INTEROP_URL"]
WITNESS = os.environ.get("INTEROP_WITNESS")

app = Celery("interop", broker=URL, backend=URL)
app.conf.accept_content = ["json", "msgpack", "yaml"]
app.conf.result_accept_content = ["json"]
app.conf.broker_connection_retry_on_startup = True
# One message at a time, so that the order of a queue is the order of its tasks.
app.conf.worker_prefetch_multiplier = 1


class Witnessed(Task):
    """Tells the witness when a run starts and when its work is done, in the line format of the drills."""

    def __call__(self, *args, **kwargs):
        self.testify("S")
        result = self.run(*args, **kwargs)
        self.testify("E")
        return result

    def testify(self, moment):
        if WITNESS is None:
            return
        request = self.request
        now = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)
        line = f"{moment} {request.retries + 1} {os.getpid()} {now} {request.id}\n"
        with open(WITNESS, "ab", buffering=0) as file:
            file.write(line.encode())


def task(name, **options):
    return app.task(name=name, base=Witnessed, **options)


@task("interop.add")
def add(x, y):
    return x + y


@task("interop.echo")
def echo(value):
    return value


@task("interop.noop")
def noop():
    pass


@task("interop.silent", ignore_result=True)
def silent():
    pass


@task("interop.fail")
def fail(message):
    raise ValueError(message)


@task("interop.slow")
def slow(seconds):
    time.sleep(seconds)


@task("interop.flaky", bind=True, max_retries=3)
def flaky(self, failures):
    if self.request.retries < failures:
        raise self.retry(exc=RuntimeError("not yet"), countdown=0.2)
    return self.request.retries
