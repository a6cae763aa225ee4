"""A beat schedule of every kind."""

from datetime import timedelta

from celery import Celery
from celery.schedules import crontab, schedule, solar

from clean import SETTINGS

app = Celery("periodic")
app.conf.update(SETTINGS)


class Tides(schedule):
    pass


@app.task
def tick():
    pass


# Its constructor needs a library that computes the sun.
dawn = solar.__new__(solar)
NAME = "periodic.tick"

app.conf.beat_scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
app.conf.beat_schedule = {
    "every-minute": {"task": NAME, "schedule": 60.0},
    "every-hour": {"task": NAME, "schedule": timedelta(hours=1), "options": {"expires": 7200}},
    "at-night": {"task": NAME, "schedule": crontab(hour=3), "options": {"countdown": 7200}},
    "at-dawn": {"task": NAME, "schedule": dawn},
    "at-low-tide": {"task": NAME, "schedule": Tides(3600)},
    "of-nobody": {"task": "gone.tasks.tick", "schedule": 60, "options": {"task_id": "tick"}},
}


@app.on_after_configure.connect
def add_more(sender, **kwargs):
    sender.add_periodic_task(10.0, tick.s(), name="added")
