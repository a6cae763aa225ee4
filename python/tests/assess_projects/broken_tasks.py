"""The application is fine, one of its task modules is not."""

from celery import Celery

app = Celery("broken_tasks", broker="redis://localhost:6379/0", include=["broken_tasks_module"])
