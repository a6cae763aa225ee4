"""The tasks of Cardoon's Python package, and a program that sends them: `fill N`, `send N`, `send-many N`, `wait N`, and the measurements of `faults`."""

import os
import sys
import time

from cardoon import App
from faults import Faults

app = App("cardoon_app", broker=os.environ["BENCH_URL"])
faults = Faults(app)


@app.task(name="bench.noop", ignore_result=os.environ["BENCH_IGNORE_RESULT"] == "1")
def noop():
    pass


def fill(count):
    for start in range(0, count, 10_000):
        app.send_many((noop, ()) for _ in range(start, min(start + 10_000, count)))
    print(0)


def send(count):
    noop.delay()
    start = time.perf_counter()
    for _ in range(count):
        noop.delay()
    print(count / (time.perf_counter() - start))


def send_many(count):
    noop.delay()
    start = time.perf_counter()
    app.send_many((noop, ()) for _ in range(count))
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


VERBS = {
    "fill": fill,
    "send": send,
    "send-many": send_many,
    "wait": wait,
    "kill": faults.kill,
    "limit": faults.limit,
}

if __name__ == "__main__":
    verb, number = sys.argv[1:]
    VERBS[verb](int(number))
    app.close()
