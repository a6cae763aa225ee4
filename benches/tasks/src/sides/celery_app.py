"""The tasks of Celery, and a program that sends them: `fill N`, `send N`, `send-many N`, `wait N`, and the measurements of
`faults`."""

import os
import sys
import time

from celery import Celery
from faults import Faults

URL = os.environ["BENCH_URL"]

app = Celery("bench", broker=URL, backend=URL)
app.conf.task_acks_late = os.environ["BENCH_ACKS_LATE"] == "1"
faults = Faults(app)


@app.task(name="bench.noop", ignore_result=os.environ["BENCH_IGNORE_RESULT"] == "1")
def noop():
    pass


def send(count):
    """Celery has no call that sends many, so both ways are this one."""
    noop.delay()
    app.connection_for_write().channel().client.delete("celery")
    start = time.perf_counter()
    for _ in range(count):
        noop.delay()
    print(count / (time.perf_counter() - start))


def wait(count):
    """Sends a task and waits for its result, again and again."""
    for _ in range(50):
        noop.delay().get(timeout=60)
    waits = []
    for _ in range(count):
        start = time.perf_counter()
        noop.delay().get(timeout=60)
        waits.append((time.perf_counter() - start) * 1000)
    waits.sort()
    print(waits[len(waits) // 2], waits[len(waits) * 99 // 100])


VERBS = {"wait": wait, "kill": faults.kill, "limit": faults.limit}

if __name__ == "__main__":
    verb, number = sys.argv[1:]
    VERBS.get(verb, send)(int(number))
