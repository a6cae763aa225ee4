"""The application of real Celery."""

# It runs in Celery's interpreters, and Celery has no types.
# mypy: ignore-errors

from __future__ import annotations

import contextlib
import os

from celery import Celery, exceptions
from celery.worker.consumer import Consumer

from interop.programs.tasks import note, register

URL = os.environ["INTEROP_URL"]

app = Celery("interop", broker=URL, backend=URL)
app.conf.accept_content = ["json", "msgpack", "yaml"]
app.conf.result_accept_content = ["json"]
app.conf.broker_connection_retry_on_startup = True
app.conf.worker_prefetch_multiplier = 1
app.conf.task_default_queue = "theirs"


class HandsOver(Consumer):
    """Hands what only others know over to a queue that only they take from, instead of dropping it."""

    def on_unknown_task(self, body, message, exc):
        # What was compressed is not any more.
        headers = {name: value for name, value in message.headers.items() if name != "compression"}
        kept = {name: message.properties.get(name) for name in ("correlation_id", "reply_to", "priority")}
        form = {"content_type": message.content_type, "content_encoding": message.content_encoding}
        with self.app.producer_pool.acquire(block=True) as producer:
            producer.publish(message.body, exchange="", routing_key="ours", headers=headers, **form, **kept)
        message.ack()


app.conf.worker_consumer = HandsOver


class TheirsAlone(Exception):
    """Only Celery's processes import it."""


register(app, exceptions, TheirsAlone)

with contextlib.suppress(ImportError):  # One version has it.
    from opentelemetry.instrumentation.celery import CeleryInstrumentor

    CeleryInstrumentor().instrument()


@app.task(name="theirs.only", bind=True)
def theirs_only(self, word):
    note(word, self.request.id)
    return word
