"""Writes the last column of celery_ticks.txt: when Celery would run a crontab next.

    python celery_ticks.py      # with Celery 5.7 installed
"""

from datetime import datetime, timezone
from pathlib import Path

from celery import Celery
from celery.schedules import crontab

TABLE = Path(__file__).with_suffix(".txt")


def next_run(zone, expression, start):
    """The next run after `start`, as beat computes it at `start` if it ran the task then."""
    app = Celery(set_as_current=False)
    app.conf.timezone = zone
    schedule = crontab.from_string(expression)
    schedule.app = app
    schedule.nowfun = lambda: start
    return start + schedule.remaining_estimate(start)


def row(line):
    if line.startswith("#"):
        return line
    zone, expression, start = line.split(" | ")[:3]
    tick = next_run(zone, expression, datetime.fromisoformat(start)).astimezone(timezone.utc)
    return f"{zone} | {expression} | {start} | {tick:%Y-%m-%dT%H:%M:%SZ}"


if __name__ == "__main__":
    lines = TABLE.read_text().splitlines()
    TABLE.write_text("".join(f"{row(line)}\n" for line in lines))
