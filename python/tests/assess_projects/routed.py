"""Queues and routes of every kind."""

from celery import Celery
from kombu import Exchange, Queue
from kombu.common import Broadcast

from clean import SETTINGS

app = Celery("routed")
app.conf.update(SETTINGS)


def by_size(name, args, kwargs, options, task=None, **more):
    return {"queue": "plain"}


app.conf.task_queues = [
    Queue("plain", Exchange("plain", type="direct")),
    Queue("news", Exchange("news", type="topic"), routing_key="news.#"),
    Broadcast("everybody"),
    Queue("urgent", max_priority=10),
    Queue("short", queue_arguments={"x-message-ttl": 1000}),
]
app.conf.task_routes = [by_size, {"routed.*": {"queue": "plain"}}, "routed.by_size"]
