"""A project in which nothing is lost or unsupported."""

from celery import Celery

SETTINGS = {
    "broker_url": "redis://localhost:6379/0",
    "result_backend": "redis://localhost:6379/0",
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_enable_remote_control": False,
}

app = Celery("clean")
app.conf.update(SETTINGS)


@app.task(expires=600, max_retries=5, default_retry_delay=30)
def add(x, y):
    return x + y
