"""The tasks of both sides: the same source, registered by an application of either."""

from __future__ import annotations

import builtins
import os
import sys
import time
from pathlib import Path
from typing import Any

from interop.programs.shared import OutOfStock, Refused

FOLDER = Path(os.environ["INTEROP_FOLDER"])

#: What of a request can be compared between the sides.
REQUEST = (
    *("id", "task", "args", "kwargs", "retries", "root_id", "parent_id", "correlation_id", "origin", "argsrepr"),
    *("kwargsrepr", "timelimit", "eta", "expires", "delivery_info", "group", "ignore_result", "x_own", "headers"),
    "called_directly",
)


def note(*words: object) -> None:
    # One write, so that lines of several processes do not mix.
    with (FOLDER / "notes").open("ab", buffering=0) as notes:
        notes.write((" ".join(map(str, words)) + "\n").encode())


def wait_for(gate: str) -> None:
    """Until the test opens ``gate``; a test that fails never does."""
    end = time.monotonic() + 20
    while not (FOLDER / gate).exists() and time.monotonic() < end:
        time.sleep(0.01)


def register(app: Any, exceptions: Any, private: type[Exception]) -> None:
    """Makes the tasks those of ``app``. ``exceptions``: the module with Celery's names of that side; ``private``: an
    exception that only this side can import."""
    _register_plain(app)
    _register_failing(app, private)
    _register_steering(app, exceptions)
    _register_limited(app, exceptions)


def _register_plain(app: Any) -> None:
    @app.task(name="interop.add")  # type: ignore[untyped-decorator]
    def add(x: int, y: int) -> int:
        return x + y

    @app.task(name="interop.echo")  # type: ignore[untyped-decorator]
    def echo(value: Any) -> Any:
        return value

    @app.task(name="interop.float")  # type: ignore[untyped-decorator]
    def as_float(text: str) -> float:
        return float(text)

    @app.task(name="interop.describe")  # type: ignore[untyped-decorator]
    def describe(*args: Any, **kwargs: Any) -> str:
        """What arrives, as this side's Python shows it."""
        return repr((args, kwargs))

    @app.task(name="interop.request", bind=True)  # type: ignore[untyped-decorator]
    def request(self: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {name: getattr(self.request, name, None) for name in REQUEST}

    @app.task(name="interop.note", bind=True)  # type: ignore[untyped-decorator]
    def note_run(self: Any, word: str) -> str:
        note(word, self.request.id)
        return word

    @app.task(name="interop.silent", ignore_result=True)  # type: ignore[untyped-decorator]
    def silent(word: str) -> str:
        note(word)
        return word

    @app.task(name="interop.send_on", bind=True)  # type: ignore[untyped-decorator]
    def send_on(self: Any, queue: str, x: int, y: int) -> str:
        """Sends a task to another queue; answers its id."""
        return str(app.send_task("interop.request", (x, y), queue=queue).id)

    @app.task(name="interop.trace", bind=True)  # type: ignore[untyped-decorator]
    def trace(self: Any) -> list[Any]:
        """The trace in the headers, and the one that OpenTelemetry sees where the program uses it."""
        header = self.request.get("traceparent") or "--"
        used = sys.modules.get("opentelemetry.trace")
        seen = used and used.format_trace_id(used.get_current_span().get_span_context().trace_id)
        return [header.split("-")[1], seen]

    @app.task(name="interop.send_trace_on")  # type: ignore[untyped-decorator]
    def send_trace_on(queue: str) -> str:
        """Sends a task to another queue, in the trace of this one; answers its id."""
        return str(app.send_task("interop.trace", queue=queue).id)


def _register_failing(app: Any, private: type[Exception]) -> None:
    @app.task(name="interop.fail")  # type: ignore[untyped-decorator]
    def fail(kind: str, *args: Any) -> None:
        raise getattr(builtins, kind)(*args)

    @app.task(name="interop.fail_shared")  # type: ignore[untyped-decorator]
    def fail_shared(*args: Any) -> None:
        raise Refused(*args)

    @app.task(name="interop.fail_in_words")  # type: ignore[untyped-decorator]
    def fail_in_words(article: str, left: int) -> None:
        raise OutOfStock(article, left)

    @app.task(name="interop.fail_private")  # type: ignore[untyped-decorator]
    def fail_private(*args: Any) -> None:
        raise private(*args)


def _register_steering(app: Any, exceptions: Any) -> None:
    @app.task(name="interop.flaky", bind=True, max_retries=3)  # type: ignore[untyped-decorator]
    def flaky(self: Any, failures: int) -> int:
        if self.request.retries < failures:
            # Celery looks at a task's state and says that it waits for its retry after it has sent that. What another worker
            # says in between is lost, and a child that has yet to connect takes a second to send.
            raise self.retry(exc=RuntimeError("not yet"), countdown=2)
        return int(self.request.retries)

    @app.task(name="interop.counts_down", bind=True, max_retries=9)  # type: ignore[untyped-decorator]
    def counts_down(self: Any, left: int, seen: list[int] | None = None) -> list[Any]:
        """Each attempt has other arguments. Answers those of all, and what each attempt still knows of its request."""
        seen = [*(seen or []), left]
        if left:
            raise self.retry(args=(left - 1,), kwargs={"seen": seen}, countdown=0.05)
        return [seen, self.request.retries, self.request.root_id, self.request.get("x_own")]

    @app.task(name="interop.gives_up", bind=True, max_retries=1)  # type: ignore[untyped-decorator]
    def gives_up(self: Any) -> None:
        raise self.retry(countdown=0.05)

    @app.task(name="interop.waits_for_retry", bind=True, max_retries=3)  # type: ignore[untyped-decorator]
    def waits_for_retry(self: Any) -> None:
        try:
            raise ValueError("wait", 60)
        except ValueError as error:
            raise self.retry(exc=error, countdown=60) from error

    @app.task(name="interop.ignore")  # type: ignore[untyped-decorator]
    def ignore(word: str) -> None:
        note(word)
        raise exceptions.Ignore

    @app.task(name="interop.reject")  # type: ignore[untyped-decorator]
    def reject(word: str) -> None:
        note(word)
        raise exceptions.Reject("no reason", requeue=False)

    @app.task(name="interop.reject_once", bind=True)  # type: ignore[untyped-decorator]
    def reject_once(self: Any, word: str) -> str:
        first = not (FOLDER / word).exists()
        (FOLDER / word).touch()
        note(word)
        if first:
            raise exceptions.Reject("not now", requeue=True)
        return "at the second time"

    @app.task(name="interop.waits", track_started=True)  # type: ignore[untyped-decorator]
    def waits(gate: str) -> str:
        wait_for(gate)
        return "done"

    @app.task(name="interop.progress", bind=True)  # type: ignore[untyped-decorator]
    def progress(self: Any, gate: str) -> str:
        self.update_state(state="PROGRESS", meta={"done": 3, "of": [10, "тест"]})
        wait_for(gate)
        return "done"


def _register_limited(app: Any, exceptions: Any) -> None:
    @app.task(name="interop.sleep")  # type: ignore[untyped-decorator]
    def sleep(secs: float) -> str:
        time.sleep(secs)
        return "slept"

    @app.task(name="interop.tidies_up")  # type: ignore[untyped-decorator]
    def tidies_up() -> str:
        try:
            time.sleep(20)
        except exceptions.SoftTimeLimitExceeded:
            return "told in time"
        return "never told"
