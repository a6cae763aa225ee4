"""Tasks that are killed, and how soon those behind them run. The same code for Cardoon and for Celery."""

import os
import select
import signal
import time

#: Tasks that wait behind one that is killed.
BEHIND = 4
LIMIT_SECS = 0.3
#: So long a killed task has run, so that those behind it are where they wait for its child.
HEAD_START_SECS = 0.2
DEADLINE_SECS = 60


def notes():
    try:
        with open(os.environ["BENCH_NOTES"]) as file:
            return [line.split() for line in file]
    except FileNotFoundError:
        return []


def note(*words):
    # One write, so that lines of several processes do not mix.
    with open(os.environ["BENCH_NOTES"], "ab", buffering=0) as file:
        file.write((" ".join(map(str, words)) + "\n").encode())


def noted(word, n, count=1):
    """What tasks have noted under this word and number, once there are `count` of these."""
    end = time.monotonic() + DEADLINE_SECS
    while time.monotonic() < end:
        found = [[int(value) for value in line[2:]] for line in notes() if line[:2] == [word, str(n)]]
        if len(found) >= count:
            return found
        time.sleep(0.001)
    raise SystemExit(f"gave up waiting for {word} {n}")


class Faults:
    """The tasks of an application, and the measurements with them. All times are of the monotonic clock."""

    def __init__(self, app):
        @app.task(name="bench.hang", acks_late=True, reject_on_worker_lost=True)
        def hang(n):
            if any(line[:2] == ["hang", str(n)] for line in notes()):
                # The second attempt, after the child of the first one was killed.
                note("again", n)
                return
            note("hang", n, os.getpid())
            time.sleep(600)

        @app.task(name="bench.stamp", acks_late=True)
        def stamp(n):
            note("stamp", n, time.monotonic_ns())

        @app.task(name="bench.loop", acks_late=True, time_limit=LIMIT_SECS)
        def loop(n):
            note("loop", n, os.getpid(), time.monotonic_ns())
            while True:
                pass

        self.hang, self.stamp, self.loop = hang, stamp, loop

    def kill(self, count):
        """Prints for each kill after how many milliseconds the last of the tasks behind it ran. The first does not count."""
        for n in range(count + 1):
            self.hang.delay(n)
            for _ in range(BEHIND):
                self.stamp.delay(n)
            ((pid,),) = noted("hang", n)
            time.sleep(HEAD_START_SECS)
            assert not any(line[:2] == ["stamp", str(n)] for line in notes()), "nobody waited behind it"
            killed = time.monotonic_ns()
            os.kill(pid, signal.SIGKILL)
            last = max(ran for (ran,) in noted("stamp", n, BEHIND))
            noted("again", n)
            if n:
                print((last - killed) / 1e6)

    def limit(self, count):
        """Prints for each task that met its limit by how many milliseconds its child outlived it, and after how many more
        than the limit the next task ran. The first does not count."""
        for n in range(count + 1):
            self.loop.delay(n)
            self.stamp.delay(n)
            ((pid, start),) = noted("loop", n)
            poll = select.poll()
            child = os.pidfd_open(pid)
            poll.register(child, select.POLLIN)
            assert poll.poll(DEADLINE_SECS * 1000), "the limit was not kept"
            gone = time.monotonic_ns()
            os.close(child)
            ((ran,),) = noted("stamp", n)
            due = start + LIMIT_SECS * 1e9
            if n:
                print((gone - due) / 1e6, (ran - due) / 1e6)
