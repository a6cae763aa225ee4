"""The no-op of Celery, and its producer: `fill N`, `send N`, `send-many N` and `wait N`."""

import os
import sys
import time

from celery import Celery

URL = os.environ["BENCH_URL"]

app = Celery("bench", broker=URL, backend=URL)


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


if __name__ == "__main__":
    verb, number = sys.argv[1:]
    (wait if verb == "wait" else send)(int(number))
