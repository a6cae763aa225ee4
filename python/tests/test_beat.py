"""Periodic tasks: each tick runs once, however many schedulers there are and however often they are started."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from typing import Any

import pytest

from cardoon import App
from cardoon._schedule import schedule
from cardoon.schedules import crontab
from helpers.project import Project, Worker
from helpers.redis import Redis
from helpers.waiting import until

HALF_SECONDS = """
from cardoon.request import current_request

@app.task
def tick():
    note(current_request().id)

app.conf.beat_schedule = {"half": {"task": "tasks.tick", "schedule": 0.5}}
"""

MANY = """
from cardoon.schedules import crontab
from datetime import timedelta

@app.task
def tidy(folder="here"):
    note("tidy", folder)

@app.task(queue="mails")
def mail(to, copies=1):
    note("mail", to, copies)

app.conf.timezone = "Europe/Berlin"
app.conf.beat_schedule = {
    "mail": {"task": "tasks.mail", "schedule": crontab(minute=30, hour=7), "args": ("ann",), "kwargs": {"copies": 2}},
    "tidy": {"task": "tasks.tidy", "schedule": timedelta(hours=1), "options": {"queue": "low", "expires": 60}},
}

@app.on_after_configure.connect
def setup(sender, **kwargs):
    sender.add_periodic_task(10.0, tidy, ("there",), name="added")
"""


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_two_schedulers_run_each_tick_once_also_over_a_restart(
    store: str, project: Project, request: pytest.FixtureRequest
) -> None:
    if store == "redis":
        server: Redis = request.getfixturevalue("redis_server")
        project.broker = server.url
    # Of ticks that were missed only the latest is sent, so the pause is longer than a busy machine keeps both waiting.
    project.write(HALF_SECONDS.replace("0.5", "1.0"))
    worker = project.worker()
    beats = [beat(project), beat(project)]
    wait_for_ticks(project, 3)
    # A scheduler that dies is no loss, and one that is started again repeats nothing.
    beats[0].signal(signal.SIGKILL)
    beats[0].wait()
    wait_for_ticks(project, 5)
    beats[0] = beat(project)
    wait_for_ticks(project, 8)
    assert [beat.stop() for beat in beats] == [0, 0]
    sent = {id for one in project.workers for id in ticks_sent(one)}
    until(lambda: sent <= set(project.notes()), "the last ticks to run")
    worker.stop()
    runs = Counter(project.notes())
    # Who is killed may have sent its last tick and not said so.
    assert sent <= set(runs) and len(set(runs) - sent) <= 1
    assert set(runs.values()) == {1}, runs
    assert len(runs) == passed(project), "no tick is missing"


def test_what_was_missed_is_made_up_for_once(project: Project) -> None:
    project.write(HALF_SECONDS)
    one = beat(project)
    one.wait_for_log("tick sent")
    kept = project.folder / ".cardoon" / "beat.json"
    until(kept.exists, "the file of past ticks")
    one.kill()
    file = json.loads(kept.read_text())
    entry = file["apps"]["tasks"]["half"]
    # As if it had been long ago: of all ticks since then the latest is sent.
    entry["past"] -= 3_600_000
    (project.folder / "kept.json").write_text(json.dumps(file))
    again = Worker(project, ("-A", "tasks", "beat", "-s", "kept.json"), {})
    again.wait_for_log("tick sent")
    again.stop(5)
    late = [when for when in map(tick_time, again.lines("tick sent")) if when < entry["past"] / 1000 + 3600]
    assert late == [], "older ticks are not"


@pytest.mark.parametrize("command", [("worker", "-B", "-c", "1"), ("dev", "-c", "1")])
def test_a_worker_sends_ticks_too(command: tuple[str, ...], project: Project) -> None:
    project.write(HALF_SECONDS)
    worker = Worker(project, ("-A", "tasks", *command), {})
    wait_for_ticks(project, 3)
    assert worker.stop() == 0
    assert set(Counter(project.notes()).values()) == {1}


def test_a_scheduler_outlives_its_broker_and_ends_at_once(project: Project, tmp_path_factory: Any) -> None:
    from helpers import redis

    program = redis.program()
    if program is None:
        pytest.fail("there is no Redis server here: cargo xtask setup installs one")
    server = Redis(tmp_path_factory.mktemp("redis"), program)
    project.broker = server.url
    project.write(HALF_SECONDS)
    one = beat(project)
    try:
        one.wait_for_log("tick sent")
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        one.wait_for_log("ticks cannot be sent")
        started = time.monotonic()
        assert one.stop(5) == 0
        assert time.monotonic() - started < 2
    finally:
        server.stop()


def test_the_next_ticks_are_listed(project: Project) -> None:
    project.write(MANY)
    status, text = project.command("-A", "tasks", "beat", "--list", "-o", "json")
    assert status == 0, text
    rows = {row["name"]: row for row in json.loads(text)}
    assert list(rows) == ["mail", "tidy", "added"]
    assert rows["mail"]["schedule"]["crontab"]["hour"] == "7"
    assert (rows["mail"]["queue"], rows["tidy"]["queue"], rows["added"]["queue"]) == ("mails", "low", "celery")
    assert rows["mail"]["timezone"] == "Europe/Berlin"
    assert [len(row["next"]) for row in rows.values()] == [3, 3, 3]
    assert all(when.endswith(("05:30:00.000Z", "06:30:00.000Z")) for when in rows["mail"]["next"])
    status, text = project.command("-A", "tasks", "beat", "--list")
    assert status == 0, text
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert "30 7 * * * Europe/Berlin" in lines["mail"] and lines["mail"].count("07:30:00") == 3
    assert "every 1h" in lines["tidy"]
    assert not (project.folder / ".cardoon").exists(), "to look changes nothing"


def test_arguments_and_options_travel_with_the_tick(project: Project) -> None:
    project.write(MANY.replace("10.0", "0.5").replace("crontab(minute=30, hour=7)", "0.5"))
    project.worker("-Q", "celery,mails,low")
    beat(project)
    project.wait_for_notes("tidy there", "mail ann 2")


@pytest.mark.parametrize(
    ("entry", "status", "words"),
    [
        ("{'task': 'tasks.tick', 'schedule': crontab(minute='61')}", 2, ["CD4002", "`half`", "`61` for minute"]),
        ("{'task': 'tasks.tick', 'schedule': 'hourly'}", 2, ["CD4002", "`half`", "'hourly' is no schedule"]),
        ("{'task': 'tasks.tick', 'schedule': 1, 'args': (1,)}", 2, ["CD4002", "`half`", "tasks.tick"]),
        ("{'task': 'tasks.tick', 'schedule': 1, 'optoins': {}}", 2, ["CD4002", "`half`", "there is no optoins"]),
        ("{'schedule': 1}", 2, ["CD4002", "`half`", "task is missing"]),
    ],
)
def test_an_entry_that_cannot_be_sent_is_named_at_the_start(
    entry: str, status: int, words: list[str], project: Project
) -> None:
    source = HALF_SECONDS.replace('{"task": "tasks.tick", "schedule": 0.5}', entry)
    project.write("from cardoon.schedules import crontab\n" + source)
    ended, text = project.command("-A", "tasks", "beat")
    assert ended == status, text
    assert all(word in text for word in words), text
    # A worker does not mind.
    project.worker("-c", "1").stop()


def test_a_task_of_another_program_is_sent_with_a_warning(project: Project) -> None:
    project.write(HALF_SECONDS.replace('"task": "tasks.tick"', '"task": "other.task"'))
    scheduler = beat(project)
    scheduler.wait_for_log("none of this application")
    look = ("--broker", project.broker, "queue", "peek", "celery", "-o", "json")
    until(lambda: "other.task" in project.command(*look)[1], "a tick")


def test_all_entries_that_cannot_be_sent_are_told_and_a_worker_sends_the_others(project: Project) -> None:
    more = '"a": {"task": "tasks.tick", "schedule": "hourly"}, "b": {"schedule": 1}, "half"'
    project.write(HALF_SECONDS.replace('"half"', more))
    status, text = project.command("-A", "tasks", "beat")
    assert status == 2 and "`a`" in text and "`b`" in text, text
    worker = project.worker("-B", "-c", "1")
    assert "`a`" in worker.log() and "`b`" in worker.log()
    until(project.notes, "a tick of the other entry")


def test_without_an_application_there_is_nothing_to_send(project: Project) -> None:
    status, text = project.command("beat")
    assert status == 2 and "cardoon beat -A tasks" in text, text


def test_an_application_says_its_schedule() -> None:
    app = App("shop", set_as_current=False)

    @app.task(name="shop.tidy", priority=3, expires=5)
    def tidy(days: int) -> None:
        pass

    app.conf.timezone = "Asia/Shanghai"
    app.conf.beat_schedule = {
        "tidy": {"task": tidy, "schedule": crontab(hour=[8, 20]), "args": (1,), "options": {"queue": "low"}},
        "bad": {"task": "shop.tidy", "schedule": 1},
    }
    said = schedule(app)
    assert said["timezone"] == "Asia/Shanghai"
    good, bad = said["entries"]
    assert (good["task"], good["args"], good["kwargs"]) == ("shop.tidy", "[1]", "{}")
    assert good["options"] == {"queue": "low", "priority": 3, "expires_in": 5.0}
    assert good["schedule"]["crontab"]["hour"] == "8,20"
    assert bad["name"] == "bad" and "days" in bad["problem"]


def test_an_entry_with_an_id_is_refused_since_each_tick_has_its_own() -> None:
    app = App("shop", set_as_current=False)
    app.conf.beat_schedule = {"tidy": {"task": "shop.tidy", "schedule": 5, "options": {"task_id": "mine"}}}
    app.add_periodic_task(5, "shop.tidy", name="added", task_id="mine")
    entries = schedule(app)["entries"]
    assert [entry["name"] for entry in entries] == ["tidy", "added"]
    for entry in entries:
        assert "task_id: each tick has an id of its own" in entry["problem"]


def test_a_schedule_that_is_no_mapping_is_told_and_keeps_no_worker_from_its_work() -> None:
    app = App("shop", set_as_current=False)
    for wrong in ([1], "tidy"):
        app.conf.beat_schedule = wrong
        [entry] = schedule(app)["entries"]
        assert entry["name"] == "beat_schedule" and "is no mapping" in entry["problem"]
    app.conf.beat_schedule = {"tidy": {"task": "shop.tidy", "schedule": 5, "args": "ann"}}
    [entry] = schedule(app)["entries"]
    assert "args is 'ann'; positional arguments are a tuple" in entry["problem"]


def beat(project: Project) -> Worker:
    return Worker(project, ("-A", "tasks", "beat"), {})


def wait_for_ticks(project: Project, count: int) -> None:
    until(lambda: len(project.notes()) >= count, f"{count} ticks; the logs: {[one.log() for one in project.workers]}")


def ticks_sent(one: Worker) -> list[str]:
    """The ids of the ticks that a scheduler sent."""
    return [line.split("task.id=")[1].split()[0] for line in one.lines("tick sent")]


def tick_time(line: str) -> float:
    """Of a line that says that a tick was sent: which one, in seconds since 1970."""
    import datetime

    text = line.split("tick=")[1].split()[0]
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def passed(project: Project) -> int:
    """How many seconds there are from the first tick that was sent to the last one, both included."""
    times = [tick_time(line) for one in project.workers for line in one.lines("tick sent")]
    return round(max(times) - min(times)) + 1


