"""The client of the HTTP gateway, against a gateway and workers."""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Iterator

import pytest

from cardoon.exceptions import (
    CardoonError,
    ImproperlyConfigured,
    NotFound,
    OperationalError,
    TaskFailed,
    TaskRevokedError,
    TimeoutError,
)
from cardoon.gateway import Event, Gateway
from helpers.project import Project, Worker
from helpers.waiting import until

TASKS = """
    @app.task
    def add(x, y):
        return x + y

    @app.task
    def fail(text):
        raise ValueError(text)

    @app.task
    def sleep(seconds):
        time.sleep(seconds)
"""


def serve(project: Project, *options: str) -> tuple[Worker, str]:
    """A gateway of the project's broker, and its URL."""
    server = Worker(project, ("gateway", "--listen", "127.0.0.1:0", "--broker", project.broker, *options), {})
    found = until(lambda: re.findall(r"http://[\d.]+:\d+", server.log()), "the gateway says where it listens")
    return server, str(found[0])


@pytest.fixture
def gateway(project: Project) -> Iterator[Gateway]:
    project.write(TASKS)
    with Gateway(serve(project)[1]) as gateway:
        yield gateway


def test_a_task_is_sent_and_its_result_waited_for(project: Project, gateway: Gateway) -> None:
    project.worker()
    sent = gateway.send("tasks.add", [2, 3])
    assert gateway.wait(sent, timeout=30) == 5
    task = gateway.get(sent)
    assert (task["state"], task["task"], task["args"]) == ("SUCCESS", "tasks.add", None)
    assert [run["result"] for run in task["history"]] == [5]


def test_the_gateway_examines_its_stores(gateway: Gateway) -> None:
    gateway.send("tasks.add", [2, 3])
    found = {finding["check"]: finding for finding in gateway.doctor()}
    assert found["broker"]["severity"] == "fine" and found["broker"]["error"] is None
    alone = found["queues"]
    assert alone["error"] is not None and alone["error"]["hint"], "a queue has no worker"


def test_a_repeated_call_counts_once_and_another_one_under_its_key_is_an_error(gateway: Gateway) -> None:
    first = gateway.send("tasks.add", [1, 2], idempotency_key="order-1")
    assert gateway.send("tasks.add", [1, 2], idempotency_key="order-1") == first
    with pytest.raises(CardoonError) as refused:
        gateway.send("tasks.add", [1, 3], idempotency_key="order-1")
    assert refused.value.code == "CD7004"
    assert [queue["ready"] for queue in gateway.queues()] == [1]


def test_how_a_task_ended_is_raised(project: Project, gateway: Gateway) -> None:
    project.worker()
    with pytest.raises(TaskFailed, match="no such mailbox") as failed:
        gateway.wait(gateway.send("tasks.fail", ["no such mailbox"]), timeout=30)
    assert failed.value.kind == "ValueError"
    late = gateway.send("tasks.add", [1, 2], countdown=datetime.timedelta(hours=1))
    assert gateway.revoke(late) == {late: "waiting"}
    with pytest.raises(TaskRevokedError):
        gateway.wait(late, timeout=30)


def test_a_task_that_does_not_end_in_time_goes_on(gateway: Gateway) -> None:
    sent = gateway.send("tasks.add", [1, 2])
    with pytest.raises(TimeoutError, match="did not end within"):
        gateway.wait(sent, timeout=0.2)
    assert "worker" in gateway.why(sent)
    assert gateway.get(sent)["state"] == "PENDING"


def test_tasks_are_listed_over_pages_and_filtered(gateway: Gateway) -> None:
    sent = {gateway.send("tasks.add", [number, 1], queue="numbers") for number in range(250)}
    other = gateway.send("tasks.sleep", [1])
    assert {line["id"] for line in gateway.tasks(task="tasks.add")} == sent
    assert [line["id"] for line in gateway.tasks(queue="celery")] == [other]
    assert list(gateway.tasks(state="success")) == []


def test_failed_tasks_are_sent_again_as_they_were_or_otherwise(project: Project, gateway: Gateway) -> None:
    worker = project.worker()
    failed = gateway.send("tasks.fail", ["first"])
    until(lambda: [letter["id"] for letter in gateway.dead()] == [failed], "it is in the dead letters")
    worker.kill()
    assert gateway.redrive(queue="celery", dry_run=True) == 1
    assert gateway.retry(failed) == failed
    assert gateway.dead() == []
    project.worker()
    until(gateway.dead, "it has failed again")
    again = gateway.retry(failed, args=["second"])
    assert again != failed
    with pytest.raises(TaskFailed, match="second"):
        gateway.wait(again, timeout=30)


def test_queues_are_paused_and_purged_and_workers_told_to_end(project: Project, gateway: Gateway) -> None:
    worker = project.worker("-n", "one")
    assert [known["worker"] for known in gateway.workers()] == ["one"]
    assert gateway.pause("celery") and not gateway.pause("celery")
    gateway.send("tasks.add", [1, 2])
    assert [queue["paused"] for queue in gateway.queues()] == [True]
    assert gateway.purge("celery", dry_run=True) == 1
    assert gateway.purge("celery") == 1
    assert gateway.resume("celery")
    assert gateway.order("one", "drain") == 1
    assert worker.wait() == 0
    with pytest.raises(NotFound):
        gateway.order("one", "stop")


def hear(gateway: Gateway, stream: Iterator[Event]) -> tuple[Event, list[str]]:
    """The next event of a stream, and the tasks that were sent until it came."""
    heard: list[Event] = []
    listening = threading.Thread(target=lambda: heard.append(next(stream)))
    listening.start()
    sent: list[str] = []

    def is_heard() -> bool:
        # Whether the stream is open already, nobody can tell.
        sent.append(gateway.send("tasks.add", [1, 2]))
        listening.join(0.2)
        return bool(heard)

    until(is_heard, "an event is heard")
    return heard[0], sent


def test_events_are_heard(project: Project, gateway: Gateway) -> None:
    project.worker()
    event, sent = hear(gateway, gateway.events(kind="task-succeeded"))
    assert event["kind"] == "task-succeeded" and event["id"]
    assert event["data"]["uuid"] in sent


def test_events_go_on_when_the_gateway_is_started_again_and_say_that_some_were_missed(project: Project) -> None:
    project.write(TASKS)
    project.worker()
    server, url = serve(project)
    gateway = Gateway(url)
    stream = gateway.events(kind="task-succeeded")
    hear(gateway, stream)
    server.kill()
    heard: list[Event] = []
    listening = threading.Thread(target=lambda: heard.append(next(stream)))
    listening.start()
    again = Worker(project, ("gateway", "--listen", url.removeprefix("http://"), "--broker", project.broker), {})
    until(lambda: url in again.log(), "the gateway is there again")
    until(lambda: heard, "the stream goes on")
    # What came before the end of the first gateway may be told still; the second one does not know of what was missed.
    while heard[-1]["kind"] != "gap":
        heard.append(next(stream))
    assert hear(gateway, stream)[0]["kind"] == "task-succeeded"


def test_a_task_that_is_too_large_is_refused_as_such(gateway: Gateway) -> None:
    for size in (1 << 20, 8 << 20):
        with pytest.raises(ImproperlyConfigured, match="larger than") as refused:
            gateway.send("tasks.add", ["x" * size])
        assert refused.value.code == "CD2002"
        assert gateway.queues() == []


def test_errors_have_the_gateways_codes(gateway: Gateway) -> None:
    with pytest.raises(NotFound) as unknown:
        gateway.get("nobody")
    assert unknown.value.code == "CD3004" and unknown.value.hint
    with pytest.raises(ImproperlyConfigured, match="priority"):
        gateway.send("tasks.add", priority=70)
    with pytest.raises(CardoonError) as missing:
        gateway.send("tasks.add", [1, 2], require_worker=True)
    assert missing.value.code == "CD3005"


def test_a_gateway_that_is_not_there_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(OperationalError, match="cardoon gateway"):
        Gateway("http://127.0.0.1:9").queues()
    with pytest.raises(ImproperlyConfigured, match="http://HOST:PORT"):
        Gateway("redis://127.0.0.1")


def test_a_token_is_sent_and_a_wrong_one_refused(project: Project) -> None:
    tokens = project.folder / "tokens.json"
    (project.folder / "cardoon.toml").write_text(f'[gateway]\ntokens = "{tokens}"\n')
    status, printed = project.command("gateway", "token", "create", "ci", "--scope", "send", "-o", "json")
    assert status == 0, printed
    found = re.search(r'"token": ?"([^"]+)"', printed)
    assert found is not None, printed
    _, url = serve(project)
    assert Gateway(url, token=found[1]).send("tasks.add", [1, 2])
    with pytest.raises(CardoonError) as refused:
        Gateway(url, token="wrong").send("tasks.add", [1, 2])
    assert refused.value.code == "CD7001"


def test_a_connection_that_the_gateway_closed_is_made_anew(project: Project) -> None:
    project.write(TASKS)
    server, url = serve(project)
    gateway = Gateway(url)
    gateway.queues()
    port = url.rpartition(":")[2]
    server.kill()
    again = Worker(project, ("gateway", "--listen", f"127.0.0.1:{port}", "--broker", project.broker), {})
    until(lambda: url in again.log(), "the gateway is there again")
    assert gateway.queues() == []
