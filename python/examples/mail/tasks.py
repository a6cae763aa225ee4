"""Mails to a thousand users, sent by workers."""

from __future__ import annotations

import os
import time

from cardoon import Celery
from cardoon.schedules import crontab

#: How long one mail takes, and how many users there are. The tutorial's numbers, unless the environment has others.
SECONDS = float(os.environ.get("MAIL_SECONDS", "5"))
USERS = int(os.environ.get("MAIL_USERS", "1000"))

# Tasks wait in the file .cardoon/cardoon.db of this folder, and results are kept there too. For a Redis server write
#     app = Celery("tasks", broker="redis://localhost:6379/0")
# or leave the line as it is and set CARDOON_BROKER=redis://localhost:6379/0 for workers and senders.
app = Celery("tasks")

app.conf.timezone = "Asia/Shanghai"
app.conf.beat_schedule = {
    "every-morning": {"task": "tasks.mail_everybody", "schedule": crontab(hour=8, minute=0)},
}


@app.task
def send_email(user_email: str) -> str:
    """Sends one mail. A real one would talk to a mail server here."""
    time.sleep(SECONDS)
    print(f"sent to {user_email}")
    return f"success: {user_email}"


@app.task
def mail_everybody() -> int:
    """Starts a mail to each user, and returns how many. A task may send tasks."""
    return len(send_email.send_many((address,) for address in addresses()))


def addresses() -> list[str]:
    return [f"user{number}@example.com" for number in range(USERS)]
