"""The no-op of huey: counts itself with one byte, as its queue cannot be watched without disturbing it."""

import os
import sys

from huey import SqliteHuey

FOLDER = os.environ["BENCH_FOLDER"]
COUNTER = os.open(os.environ["BENCH_COUNTER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

huey = SqliteHuey("bench", filename=os.path.join(FOLDER, "huey.db"))


@huey.task()
def noop():
    os.write(COUNTER, b"x")
    return True


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        noop()
