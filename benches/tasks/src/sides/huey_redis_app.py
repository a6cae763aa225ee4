"""The no-op of huey on Redis, and a program that sends it: `fill N` and `send N`. huey stores no result that is None."""

import os
import sys
import time

from huey import RedisHuey

IGNORE_RESULT = os.environ["BENCH_IGNORE_RESULT"] == "1"

huey = RedisHuey("bench", url=os.environ["BENCH_URL"], results=not IGNORE_RESULT)


@huey.task()
def noop():
    return None if IGNORE_RESULT else True


def send(count):
    noop()
    huey.flush()
    start = time.perf_counter()
    for _ in range(count):
        noop()
    print(count / (time.perf_counter() - start))


def main():
    send(int(sys.argv[2]))
