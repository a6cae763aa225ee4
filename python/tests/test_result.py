"""Results of tasks that a worker runs."""

from __future__ import annotations

import asyncio
import datetime
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cardoon import App, AsyncResult, Task
from cardoon.exceptions import Ignore, Reject, SoftTimeLimitExceeded, TaskRejectedError, TaskRevokedError, TimeoutError
from cardoon.result import allow_join_result
from cardoon.testing import Worker, start_worker
from helpers.project import Project
from helpers.waiting import DEADLINE_SECS, until

app = App("results", set_as_current=False)


class Refused(Exception):
    """An error of the application's own."""


@app.task
def add(x: int, y: int) -> int:
    return x + y


@app.task
def fail(text: str) -> None:
    raise Refused(text)


@app.task(bind=True)
def hold(self: Task[..., Any], file: str) -> str:
    """Runs until there is a file."""
    self.update_state(state="HOLDING", meta={"for": file})
    until(lambda: os.path.exists(file), file)
    return "let go"


@app.task(ignore_result=True)
def ignored() -> int:
    return 1


@app.task
def refuse(requeue: bool) -> None:
    raise Reject("not me", requeue=requeue)


@app.task
def vanish(file: str) -> None:
    Path(file).touch()
    raise Ignore


@app.task(soft_time_limit=0.2)
def linger() -> str:
    try:
        threading.Event().wait(DEADLINE_SECS)
    except SoftTimeLimitExceeded:
        return "told"
    return "never told"


@app.task
def join(is_allowed: bool) -> int:
    if is_allowed:
        with allow_join_result():
            return add.delay(1, 2).get(timeout=DEADLINE_SECS)
    return add.delay(1, 2).get(timeout=DEADLINE_SECS)


@app.task
async def join_async(x: int) -> int:
    return await (await add.adelay(x, 1))


@pytest.fixture(scope="module", autouse=True)
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    app.conf.broker_url = f"sqlite:{tmp_path_factory.mktemp('results')}/tasks.db"
    with start_worker(app, concurrency=2) as worker:
        yield worker
    app.close()


def test_a_result_is_the_return_value() -> None:
    result = add.delay(2, 3)
    assert result.get(timeout=DEADLINE_SECS) == 5
    assert result.ready() and result.successful() and not result.failed()
    assert (result.state, result.status, result.result, result.info) == ("SUCCESS", "SUCCESS", 5, 5)
    assert (result.name, result.queue, result.retries, result.traceback) == (add.name, "celery", 0, None)
    assert result.worker and result.date_done and result.date_done.tzinfo is datetime.timezone.utc
    assert app.AsyncResult(result.id).get(timeout=DEADLINE_SECS) == 5
    assert add.AsyncResult(result.id).get(timeout=DEADLINE_SECS) == 5


def test_a_failed_task_raises_its_exception_with_the_traceback_of_the_worker() -> None:
    result = fail.delay("no")
    with pytest.raises(Refused, match="no") as caught:
        result.get(timeout=DEADLINE_SECS)
    assert "raise Refused(text)" in str(caught.value.__cause__)
    assert result.failed() and result.traceback and "raise Refused(text)" in result.traceback
    assert isinstance(result.get(propagate=False), Refused) and isinstance(result.result, Refused)
    assert "cardoon" not in result.traceback.split("raise Refused")[0], "frames of the package are left out"


def test_a_timeout_ends_the_waiting_and_not_the_task(tmp_path: Path) -> None:
    result = hold.delay(str(tmp_path / "go"))
    with pytest.raises(TimeoutError, match=r"CD3003.*within 0\.05 s"):
        result.get(timeout=0.05)
    with pytest.raises(TimeoutError):
        result.get(timeout=0)
    with pytest.raises(result.TimeoutError):
        asyncio.run(result.aget(timeout=0.05))
    (tmp_path / "go").touch()
    assert result.get(timeout=DEADLINE_SECS) == "let go"


def test_a_task_says_how_far_it_is(tmp_path: Path) -> None:
    result = hold.delay(str(tmp_path / "go"))
    until(lambda: result.state == "HOLDING", "a task that has said its state")
    assert result.info == {"for": str(tmp_path / "go")} and not result.ready()
    (tmp_path / "go").touch()
    assert result.get(timeout=DEADLINE_SECS) == "let go"
    assert result.state == "SUCCESS"


def test_a_revoked_task_is_not_executed() -> None:
    result = add.apply_async((1, 2), countdown=600)
    result.revoke()
    with pytest.raises(TaskRevokedError, match="CD3002"):
        result.get(timeout=DEADLINE_SECS)
    assert result.state == "REVOKED" and isinstance(result.result, TaskRevokedError)


def test_a_task_that_runs_is_told_when_it_is_revoked(tmp_path: Path) -> None:
    result = hold.delay(str(tmp_path / "never"))
    until(lambda: result.state == "HOLDING", "a task that runs")
    result.revoke(terminate=True)
    with pytest.raises(TaskRevokedError):
        result.get(timeout=DEADLINE_SECS)


def test_a_result_that_is_forgotten_is_gone() -> None:
    result = add.delay(2, 3)
    result.get(timeout=DEADLINE_SECS)
    result.forget()
    assert result.state == "PENDING" and result.result is None and not result.ready()


def test_a_task_without_a_result_keeps_nobody_waiting() -> None:
    assert ignored.delay().get() is None
    assert add.apply_async((1, 2), ignore_result=True).get() is None
    assert asyncio.run(ignored.delay().aget()) is None


def test_a_rejected_task_says_why() -> None:
    with pytest.raises(TaskRejectedError, match="not me"):
        refuse.delay(False).get(timeout=DEADLINE_SECS)


def test_an_ignored_task_has_no_result(tmp_path: Path) -> None:
    result = vanish.delay(str(tmp_path / "ran"))
    until((tmp_path / "ran").exists, "a task that ran")
    assert add.delay(1, 1).get(timeout=DEADLINE_SECS) == 2
    assert result.state == "PENDING" or not result.ready()


def test_a_soft_time_limit_is_an_exception_in_the_task() -> None:
    assert linger.delay().get(timeout=DEADLINE_SECS) == "told"


def test_a_callback_gets_the_value() -> None:
    called: list[Any] = []
    result = add.delay(2, 3)
    result.get(timeout=DEADLINE_SECS, callback=lambda id, value: called.append((id, value)))
    assert called == [(result.id, 5)]


def test_a_task_waits_for_another_only_where_that_is_allowed() -> None:
    with pytest.raises(RuntimeError, match="keeps a slot"):
        join.delay(False).get(timeout=DEADLINE_SECS)
    assert join.delay(True).get(timeout=DEADLINE_SECS) == 3
    assert join_async.delay(4).get(timeout=DEADLINE_SECS) == 5


def test_results_travel_between_processes() -> None:
    result = add.delay(2, 3)
    code = (
        "import pickle, sys; from cardoon import App; app = App('results', broker=sys.argv[1]);"
        "print(pickle.loads(bytes.fromhex(sys.argv[2])).get(timeout=30))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, app.conf.broker_url, pickle.dumps(result).hex()],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECS,
    )
    assert out.stdout == "5\n", out.stderr


def test_results_are_equal_by_their_ids() -> None:
    one, again = AsyncResult[int]("id", app), AsyncResult[int]("id", app)
    assert one == again == "id" and len({one, again}) == 1 and str(one) == "id"
    assert one != AsyncResult("other", app)
    with pytest.raises(ValueError, match="the id of a task"):
        AsyncResult(None, app)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no list"):
        list(one)


def test_what_is_sent_is_awaited() -> None:
    async def main() -> list[Any]:
        first = await add.adelay(1, 2)
        second = await add.aapply_async((3, 4), countdown=0)
        third = await app.asend_task(add.name, (5, 6))
        many = await app.asend_many([(add, (7, 8)), (add.name, (9, 10))])
        more = await add.asend_many([(1, 1), (2, 2)])
        return list(await asyncio.gather(first, second, third, *many, *more))

    assert asyncio.run(main()) == [3, 7, 11, 15, 19, 2, 4]


def test_hundreds_are_awaited_at_once_and_block_no_other_call(tmp_path: Path) -> None:
    async def main() -> list[int]:
        held = await hold.adelay(str(tmp_path / "go"))
        waits = [asyncio.create_task(held.aget()) for _ in range(100)]
        values = await asyncio.gather(*await add.asend_many([(number, 1) for number in range(300)]))
        (tmp_path / "go").touch()
        assert await asyncio.gather(*waits) == ["let go"] * 100
        return list(values)

    assert asyncio.run(main()) == [number + 1 for number in range(300)]


def test_a_wait_that_is_cancelled_holds_up_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        held = await hold.adelay(str(tmp_path / "go"))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(held.aget(), 0.05)
        (tmp_path / "go").touch()
        assert await held == "let go"

    asyncio.run(main())
    until(lambda: not [one for one in threading.enumerate() if one.name == "asyncio_0"], "threads that end")


def test_an_exception_is_raised_where_the_result_is_awaited() -> None:
    async def main() -> None:
        with pytest.raises(Refused, match="no"):
            await fail.delay("no")
        returned: object = await app.send_task(fail.name, ("no",)).aget(propagate=False)
        assert isinstance(returned, Refused)

    asyncio.run(main())


INTERRUPTED = """
import sys, time
from cardoon import App
app = App("tasks", broker=sys.argv[1])
result = app.send_task("tasks.hold", task_id="held")
for _ in range(5):
    try:
        print("waits", flush=True)
        result.get()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_ctrl_c_ends_the_waiting_at_once_and_not_the_task(project: Project) -> None:
    project.write("""
        @app.task
        def hold():
            note("begun")
            while not os.path.exists("go"):
                time.sleep(0.01)
            return "let go"
        """)
    project.worker()
    program = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, project.broker], env=project.environment(), stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    took = []
    try:
        for _ in range(5):
            assert program.stdout.readline() == "waits\n"
            project.wait_for_notes("begun")
            start = time.monotonic()
            program.send_signal(signal.SIGINT)
            assert program.stdout.readline() == "interrupted\n"
            took.append(time.monotonic() - start)
        assert program.wait(DEADLINE_SECS) == 0
    finally:
        program.kill()
        program.wait()
    # The one in the middle: that a busy machine does something else for a moment says nothing.
    assert sorted(took)[2] < 0.5, took
    result = project.app.AsyncResult("held")
    assert not result.ready()
    (project.folder / "go").touch()
    assert result.get(timeout=DEADLINE_SECS) == "let go"


@app.task(bind=True)
def says(self: Task[..., Any], state: str, meta: Any, end: str) -> str:
    self.update_state(self.request.id, state, meta)
    if end == "ignore":
        raise Ignore
    until(lambda: os.path.exists(end), end)
    return "ended"


@app.task(bind=True)
def says_of_another(self: Task[..., Any]) -> None:
    self.update_state("another", "PROGRESS")


@pytest.mark.parametrize("state", ["SUCCESS", "FAILURE", "REVOKED", "RETRY"])
def test_a_task_does_not_end_by_saying_so(state: str, tmp_path: Path) -> None:
    result = says.delay(state, {"some": "meta"}, str(tmp_path / "go"))
    until(lambda: result.state == "STARTED", "a task that runs")
    assert not (result.ready() or result.successful() or result.failed()) and result.info is None
    (tmp_path / "go").touch()
    assert result.get(timeout=DEADLINE_SECS) == "ended" and result.state == "SUCCESS"


def test_a_task_that_says_that_it_has_ended_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    monkeypatch.setattr("cardoon._child.say_state", lambda state, meta: said.append((state, meta)))
    ways = {"SUCCESS": "return the value", "FAILURE": "raise the exception", "REVOKED": "revoke", "RETRY": "self.retry"}
    for state, text in ways.items():
        with pytest.warns(UserWarning, match=rf"says: update_state\(state='{state}'\) has no effect.*{text}") as told:
            says.update_state(state=state)
            says.update_state(state=state)
        assert len(told) == 1
    says.update_state(state="PROGRESS", meta=1)
    says.update_state(meta=2, request=None, traceback=None)
    assert said == [("PROGRESS", 1), ("PROGRESS", 2)]


def test_a_task_that_is_ignored_has_no_result_to_wait_for() -> None:
    result = says.delay("FAILURE", {"some": "meta"}, "ignore")
    with pytest.raises(TimeoutError):
        result.get(timeout=0.3)
    assert not result.failed()


def test_a_task_tells_its_own_state_only() -> None:
    with pytest.raises(NotImplementedError, match=r"task_id='another'\): a task tells its own state only, and here runs"):
        says_of_another.delay().get(timeout=DEADLINE_SECS)
    with pytest.raises(NotImplementedError, match="no task runs here"):
        says.update_state("another", "PROGRESS")


def test_a_misspelt_option_of_a_result_is_no_wait_for_ever() -> None:
    result = app.AsyncResult("nobody")
    eager = add.apply((1, 2))
    for one in (result, eager):
        for call in (one.get, one.wait, one.revoke):
            with pytest.raises(TypeError, match="timout"):
                call(timout=0.1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="timout"):
        result.aget(timout=0.1)  # type: ignore[call-arg, unused-coroutine]


def test_options_that_celery_has_are_taken() -> None:
    assert add.delay(1, 2).get(DEADLINE_SECS, True, 0.5, True, True, lambda id, value: None, None, None, True) == 3
    assert add.delay(1, 2).wait(timeout=DEADLINE_SECS, interval=0.1, no_ack=True, on_message=None, on_interval=None) == 3
    add.delay(1, 2).revoke(connection=None, terminate=True, signal="SIGKILL", wait=False, timeout=1)
    assert add.apply((1, 2)).get(DEADLINE_SECS, interval=0.1, follow_parents=False) == 3
