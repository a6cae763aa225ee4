"""Celery's side of a reference run: python FILE probe|worker|send|state|clean ..."""

import json
import os
import signal
import sys
import threading
import time


def end_with_verification():
    """It may be killed: then nobody else would end this process and a worker's pool, which are a group."""
    parent, verification = os.getppid(), int(os.environ["CARDOON_VERIFICATION"])
    try:
        while os.getppid() == parent:
            os.kill(verification, 0)
            time.sleep(0.5)
    finally:
        os.killpg(0, signal.SIGKILL)


# Before the imports that take long.
threading.Thread(target=end_with_verification, daemon=True).start()

import celery  # noqa: E402
import redis  # noqa: E402
from celery import Celery, Task  # noqa: E402

URL = os.environ["CARDOON_BROKER"]
PREFIX = os.environ["VERIFY_PREFIX"]
QUEUE = os.environ["VERIFY_QUEUE"]
WITNESS = os.environ.get("VERIFY_WITNESS")

# All else is as Celery's defaults are.
app = Celery("cardoon_verify", broker=URL)
app.conf.update(
    broker_transport_options={"global_keyprefix": PREFIX},
    broker_connection_retry_on_startup=True,
    task_default_queue=QUEUE,
    task_ignore_result=True,
    worker_enable_remote_control=False,
)


class Witnessed(Task):
    """Tells the witness when a run starts and when its work is done."""

    def __call__(self, *args, **kwargs):
        self.testify("S")
        result = self.run(*args, **kwargs)
        self.testify("E")
        return result

    def testify(self, moment):
        now = int(time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) * 1000)
        line = f"{moment} 1 {os.getpid()} {now} {self.request.id}\n"
        with open(WITNESS, "ab", buffering=0) as file:
            file.write(line.encode())


@app.task(name="cardoon.verify.wait", base=Witnessed)
def wait(millis):
    time.sleep(millis / 1000)


def probe():
    return {"celery": celery.__version__, "redis": redis.__version__}


def worker(name, slots):
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    app.worker_main(["worker", "--loglevel", "INFO", "--hostname", name, "--concurrency", slots, *quiet])


def send(count, millis):
    with app.connection_for_write() as connection:
        return [wait.apply_async((int(millis),), connection=connection).id for _ in range(int(count))]


def state():
    """The ids of the messages that wait, and of those that were given out and not acknowledged."""
    client = redis.Redis.from_url(URL)
    waiting = client.lrange(PREFIX + QUEUE, 0, -1)
    given = [json.dumps(json.loads(entry)[0]) for entry in client.hvals(PREFIX + "unacked")]
    ids = [[json.loads(message)["headers"]["id"] for message in messages] for messages in (waiting, given)]
    return {"waiting": ids[0], "unacked": ids[1]}


def clean(*prefixes):
    client = redis.Redis.from_url(URL)
    begin = tuple(prefix.encode() for prefix in prefixes)
    keys = [key for key in client.scan_iter(match="cardoon-verify-*", count=1000) if key.startswith(begin)]
    return sum(client.delete(key) for key in keys)


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "worker":
        worker(*arguments)
    else:
        answer = {"probe": probe, "send": send, "state": state, "clean": clean}[what](*arguments)
        with open(os.environ["VERIFY_ANSWER"], "w") as file:
            json.dump(answer, file)
