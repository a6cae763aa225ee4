"""Celery's side of a reference run: python FILE probe|worker|send|state|clean ..."""

import json
import os
import sys
import time

import celery
import redis
from celery import Celery, Task

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


def clean():
    client = redis.Redis.from_url(URL)
    pattern = "".join("\\" + c if c in "*?[]^\\" else c for c in PREFIX) + "*"
    keys = list(client.scan_iter(match=pattern, count=1000))
    return sum(client.delete(key) for key in keys)


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "worker":
        worker(*arguments)
    else:
        answer = {"probe": probe, "send": send, "state": state, "clean": clean}[what](*arguments)
        with open(os.environ["VERIFY_ANSWER"], "w") as file:
            json.dump(answer, file)
