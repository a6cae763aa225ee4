"""The no-op of huey: counts itself with one byte, as its queue cannot be watched without disturbing it."""

import os

from huey import SqliteHuey

FOLDER = os.environ["BENCH_FOLDER"]
COUNTER = os.open(os.environ["BENCH_COUNTER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

huey = SqliteHuey("bench", filename=os.path.join(FOLDER, "huey.db"))


@huey.task()
def noop():
    os.write(COUNTER, b"x")
    return True


def fill(count):
    for _ in range(count):
        noop()
