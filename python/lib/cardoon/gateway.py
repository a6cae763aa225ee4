"""A client of the HTTP gateway, for programs that cannot reach the broker themselves.

>>> from cardoon.gateway import Gateway
>>> gateway = Gateway("http://127.0.0.1:8765")
>>> id = gateway.send("tasks.add", [2, 3], idempotency_key="order-42")  # doctest: +SKIP
>>> gateway.wait(id, timeout=30)  # doctest: +SKIP
5

It needs nothing but Python's own modules. Answers are dictionaries, typed, with the names of the gateway's description
(``/api/v1/openapi.json``); times in them are RFC 3339. Errors are those of :mod:`cardoon.exceptions`, with the gateway's code.
"""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypedDict, cast
from urllib.parse import quote

from cardoon import _gateway_checks as checks
from cardoon import _gateway_stream, _values
from cardoon._gateway_checks import Seconds
from cardoon._gateway_wire import Wire
from cardoon.exceptions import CardoonError, TaskFailed, TaskRevokedError, TimeoutError

__all__ = ["Event", "Failure", "Finding", "Gateway", "Letter", "Queue", "Run", "Task", "TaskLine", "Worker"]

#: The gateway answers a wait after a minute at the latest.
LONGEST_WAIT_SECS = 55.0


class Failure(TypedDict):
    """Why a run failed."""

    kind: str
    message: str
    details: str


class Run(TypedDict):
    """A run of a task that has ended."""

    id: str
    task: str
    queue: str
    state: str
    attempt: int
    run: int
    worker: str
    result: Any
    failure: Failure | None
    started_at: str | None
    finished_at: str


class Task(TypedDict):
    """All that is known of a task: its latest run, where its message is, its place among the dead letters, its past."""

    id: str
    task: str
    state: str
    args: list[Any] | None
    kwargs: dict[str, Any] | None
    record: Run | None
    message: dict[str, Any] | None
    dead: dict[str, Any] | None
    progress: dict[str, Any] | None
    history: list[Run]


class TaskLine(TypedDict):
    """A task in a list. ``since``: when it was sent, or ended."""

    id: str
    task: str
    queue: str
    state: str
    attempt: int
    since: str
    worker: str | None


class Queue(TypedDict):
    """A queue in numbers."""

    queue: str
    ready: int
    delayed: int
    held: int
    dead: int
    workers: int
    oldest_ms: int | None
    paused: bool


class Worker(TypedDict):
    """A worker that is alive."""

    worker: str
    session: int
    pid: int
    version: str
    queues: list[str]
    tasks: list[str]
    slots: int
    held: int
    since: str
    heartbeat_age_ms: int


class Letter(TypedDict):
    """A message that could not be executed, or whose task failed for good."""

    id: str
    task: str
    queue: str
    reason: str
    detail: str
    attempt: int
    deaths: int
    died_at: str


class Finding(TypedDict):
    """What one check of the doctor found. ``severity`` is ``fine``, ``unchecked``, ``warning`` or ``error``; ``error`` has the code,
    what was checked and the hint of the last two."""

    check: str
    severity: str
    message: str
    error: dict[str, Any] | None


class Event(TypedDict):
    """Something that happened. ``kind`` is ``task-succeeded`` and the like; ``gap`` says that some were missed. ``id`` is what
    :meth:`Gateway.events` goes on after; ``data`` is what is told of it."""

    id: str
    kind: str
    data: dict[str, Any]


class Gateway:
    """A gateway. Threads and forked processes may share it: each has a connection of its own.

    ``timeout`` is how long a connection may take, and an answer, in seconds or as a timedelta. Raises
    :class:`~cardoon.exceptions.ImproperlyConfigured` for what is no URL of a gateway (CD1004) and no token (CD7001).

    A method raises what the gateway refuses a request with, and :class:`~cardoon.exceptions.OperationalError` when it cannot be
    reached (CD1001, CD1008), does not answer (CD1005) or is none (CD1010). When time was over that error is a
    :class:`~cardoon.exceptions.TimeoutError` as well. ``checked`` tells what is known of a request that changes something.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8765", *, token: str | None = None, timeout: Seconds = 30
    ) -> None:
        self._wire = Wire(url, token, timeout)

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes this thread's connection. The next request opens another."""
        self._wire.close()

    def send(
        self,
        task: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        queue: str | None = None,
        priority: int | None = None,
        countdown: Seconds | None = None,
        eta: datetime.datetime | None = None,
        expires: datetime.datetime | None = None,
        task_id: str | None = None,
        ignore_result: bool | None = None,
        time_limit: Seconds | None = None,
        soft_time_limit: Seconds | None = None,
        headers: Mapping[str, Any] | None = None,
        require_worker: bool = False,
        idempotency_key: str | None = None,
    ) -> str:
        """Sends a task; answers its id. When it answers, the task is stored and will be executed.

        With an ``idempotency_key`` the call may be repeated for a day, for instance after a broken connection: the same
        call is answered with the same id, another one under the same key is an error. It has 1 to 255 printable characters of
        ASCII (CD7005). ``require_worker`` refuses a task that no live worker of its queue knows.

        Raises :class:`~cardoon.exceptions.EncodeError` (CD2006) for an argument that JSON has no form for, such as a
        datetime, and says where it stands.
        """
        call = {
            "task": task,
            "args": list(args),
            "kwargs": dict(kwargs) if kwargs else None,
            "queue": queue,
            "priority": priority,
            "countdown": _span(countdown),
            "eta": _time(eta),
            "expires": _time(expires),
            "id": task_id,
            "ignore_result": ignore_result,
            "time_limit": _span(time_limit),
            "soft_time_limit": _span(soft_time_limit),
            "headers": dict(headers) if headers else None,
            "require_worker": require_worker or None,
        }
        key = checks.idempotency_key(idempotency_key)
        sent = self._wire.ask("POST", "/tasks", "id", body=_given(call), headers=key)
        return str(sent["id"])

    def get(self, task_id: str, *, wait: Seconds | None = None) -> Task:
        """All that is known of a task. With ``wait``, as soon as it has ended, at the latest after this time."""
        patience = min(_seconds(wait) or 0, LONGEST_WAIT_SECS)
        query: dict[str, object] = {"wait": _span(patience) if patience else None}
        task: Any = self._wire.ask("GET", f"/tasks/{_part(task_id)}", "state", query=query, patience=patience)
        return cast(Task, task)

    def wait(self, task_id: str, *, timeout: Seconds | None = None) -> Any:
        """Waits until a task has ended; answers what it returned.

        Raises :class:`~cardoon.exceptions.TaskFailed` or :class:`~cardoon.exceptions.TaskRevokedError` if it did not succeed,
        and :class:`~cardoon.exceptions.TimeoutError` when the time is over; the task goes on then.
        """
        limit = _seconds(timeout)
        end = None if limit is None else time.monotonic() + limit
        while True:
            left = LONGEST_WAIT_SECS if end is None else max(0.0, end - time.monotonic())
            task = self.get(task_id, wait=left)
            if task["state"] in ("SUCCESS", "FAILURE", "REVOKED"):
                return _outcome(task)
            if end is not None and time.monotonic() >= end:
                raise TimeoutError(
                    f"task {task_id} did not end within {limit:g} s",
                    code="CD3003",
                    kind="Timeout",
                    checked=[f"its state: {task['state']}"],
                    hint=f"cardoon task why {task_id}",
                )

    def tasks(
        self,
        *,
        state: str | None = None,
        task: str | None = None,
        queue: str | None = None,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        text: str | None = None,
    ) -> Iterator[TaskLine]:
        """Tasks: those that wait or run, oldest first, then those that have ended, newest first. Page after page is asked for
        while the caller goes on."""
        after: str | None = None
        while True:
            query: dict[str, object] = {
                "state": state,
                "task": task,
                "queue": queue,
                "since": _time(since),
                "until": _time(until),
                "text": text,
                "after": after,
                "limit": 200,
            }
            page = self._wire.ask("GET", "/tasks", "items", query=query)
            yield from page["items"]
            after = page["next"]
            if after is None:
                return

    def retry(
        self,
        task_id: str,
        *,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        queue: str | None = None,
        priority: int | None = None,
    ) -> str:
        """Sends a task that failed again: as it was, under its id; or, with other arguments, as a new one. Answers the id."""
        edit = {
            "args": None if args is None else list(args),
            "kwargs": None if kwargs is None else dict(kwargs),
            "queue": queue,
            "priority": priority,
        }
        return str(self._wire.ask("POST", f"/tasks/{_part(task_id)}/retry", "id", body=_given(edit))["id"])

    def revoke(self, *task_ids: str) -> dict[str, str]:
        """Revokes tasks; says of each what it did then: ``waiting``, ``held``, ``over`` or ``unknown``."""
        answer = self._wire.ask("POST", "/tasks/revoke", "results", body={"ids": list(task_ids)})
        for result in answer["results"]:
            if "error" in result:
                said = result["error"]
                raise CardoonError(said["message"], code=said["code"], kind=said["kind"], hint=said["hint"])
        return {result["id"]: result["revoked"] for result in answer["results"]}

    def why(self, task_id: str) -> str:
        """Why a task has not run, in a sentence."""
        return str(self._wire.ask("GET", f"/tasks/{_part(task_id)}/why", "sentence")["sentence"])

    def queues(self) -> list[Queue]:
        """All queues that hold something, have a worker or are paused."""
        queues: list[Queue] = self._wire.ask("GET", "/queues", "items")["items"]
        return queues

    def pause(self, queue: str) -> bool:
        """Pauses a queue: what is sent to it waits until it is resumed. Answers whether it was not paused before."""
        return bool(self._wire.ask("POST", f"/queues/{_part(queue)}/pause", "changed")["changed"])

    def resume(self, queue: str) -> bool:
        """Ends a pause. Answers whether there was one."""
        return bool(self._wire.ask("POST", f"/queues/{_part(queue)}/resume", "changed")["changed"])

    def purge(self, queue: str, *, dry_run: bool = False) -> int:
        """Deletes what waits in a queue; answers how many messages."""
        return int(self._wire.ask("POST", f"/queues/{_part(queue)}/purge", "count", body={"dry_run": dry_run})["count"])

    def dead(self, *, queue: str | None = None, reason: str | None = None, limit: int = 50) -> list[Letter]:
        """Dead letters, newest first."""
        query: dict[str, object] = {"queue": queue, "reason": reason, "limit": limit}
        letters: list[Letter] = self._wire.ask("GET", "/dead", "items", query=query)["items"]
        return letters

    def redrive(
        self,
        *task_ids: str,
        queue: str | None = None,
        reason: str | None = None,
        everything: bool = False,
        dry_run: bool = False,
    ) -> int:
        """Sends dead letters to their queues again: these, or those of a queue or a reason, or all. Answers how many."""
        choice = {
            "ids": list(task_ids) or None,
            "queue": queue,
            "reason": reason,
            "all": everything or None,
            "dry_run": dry_run or None,
        }
        return int(self._wire.ask("POST", "/dead/redrive", "count", body=_given(choice))["count"])

    def workers(self) -> list[Worker]:
        """The workers that are alive."""
        workers: list[Worker] = self._wire.ask("GET", "/workers", "items")["items"]
        return workers

    def order(self, worker: str, what: Literal["drain", "stop"]) -> int:
        """Tells the workers of a name to end: ``drain`` after what runs has finished, ``stop`` at once. Answers how many."""
        return len(self._wire.ask("POST", f"/workers/{_part(worker)}/{what}", "told")["told"])

    def doctor(self) -> list[Finding]:
        """What ``cardoon doctor`` finds where the gateway runs, in its order. Takes up to 10 s."""
        findings: list[Finding] = self._wire.ask("GET", "/doctor", "items")["items"]
        return findings

    def events(
        self,
        *,
        after: str | None = None,
        task_id: str | None = None,
        task: str | None = None,
        queue: str | None = None,
        kind: str | None = None,
        reconnect: Seconds = 60,
    ) -> Iterator[Event]:
        """Events as they happen, those after the event ``after`` if it is given. An event ``gap`` says that some were missed.

        When the connection breaks, for instance as the gateway restarts, it is made anew and goes on where it was. That is
        tried for ``reconnect`` seconds, or a timedelta; then the last attempt's error is raised. So is that of the first
        connection at once, and what the gateway refuses. ``timeout`` is for the connection and the beginning of an answer; a
        stream that is silent for a minute has broken.
        """
        query: dict[str, object] = {"id": task_id, "task": task, "queue": queue, "kind": kind}
        patience = _values.limit("reconnect", reconnect) or 0.0
        for event in _gateway_stream.follow(self._wire, "/events", query, after, patience):
            yield {"id": event.id, "kind": event.kind, "data": event.data}


def _outcome(task: Task) -> Any:
    record = task["record"]
    if task["state"] == "SUCCESS":
        return record["result"] if record else None
    if task["state"] == "REVOKED":
        raise TaskRevokedError(f"task {task['id']} was revoked")
    failure = record["failure"] if record else None
    error = TaskFailed(failure["kind"], failure["message"]) if failure else TaskFailed()
    error.traceback = failure["details"] or None if failure else None
    raise error


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _part(name: str) -> str:
    return quote(name, safe="")


def _seconds(span: Seconds | None) -> float | None:
    return span.total_seconds() if isinstance(span, datetime.timedelta) else span


def _span(span: Seconds | None) -> str | None:
    seconds = _seconds(span)
    return None if seconds is None else f"{round(seconds * 1000)}ms"


def _time(time: datetime.datetime | None) -> str | None:
    """A time without a zone is the machine's, as elsewhere in Python."""
    return None if time is None else time.astimezone(datetime.timezone.utc).isoformat()
