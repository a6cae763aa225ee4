"""Programs of users, for the type checker alone: each ``type: ignore`` is a mistake that it must find, since one that is not
needed is an error itself. ``test_typing.py`` runs it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from cardoon import App, AsyncResult, AsyncTask, EagerResult, Task, shared_task

if TYPE_CHECKING:
    from typing_extensions import assert_type

app = App("typing")


@app.task
def add(x: int, y: int = 1) -> int:
    return x + y


@app.task(name="mail.send", max_retries=5)
def send(to: str) -> bool:
    return bool(to)


@app.task(bind=True)
def bound(self: Task[..., Any], url: str) -> list[str]:
    raise self.retry(countdown=1)


@app.task
async def fetch(url: str) -> bytes:
    return url.encode()


@app.task(bind=True, queue="slow")
async def fetch_bound(self: Task[..., Any], url: str) -> bytes:
    return url.encode()


@shared_task
def shared(x: float) -> str:
    return str(x)


@shared_task(bind=True)
def shared_bound(self: Task[..., Any], x: float) -> str:
    return str(x)


class Greet(Task[[str], str]):
    def run(self, name: str) -> str:
        return f"Hello, {name}"


greet = app.register_task(Greet())


def types_of_functions_reach_results() -> None:
    assert_type(add(1, 2), int)
    assert_type(add.delay(1, 2), AsyncResult[int])
    assert_type(add.delay(1).get(timeout=1), int)
    assert_type(add.apply_async((1, 2), countdown=1).get(), int)
    assert_type(add.send_many([(1, 2)]), list[AsyncResult[int]])
    assert_type(add.apply((1, 2)), EagerResult[int])
    assert_type(send.delay("a").get(), bool)
    assert_type(greet.delay("a").get(), str)
    assert_type(shared.delay(1.0).get(), str)
    assert_type(app.send_task("add", (1, 2)), AsyncResult[Any])


@app.task(bind=True)
def misspells(self: Task[..., Any]) -> None:
    raise self.retry(countdwn=1)  # type: ignore[call-arg]


def the_first_parameter_of_bound_tasks_does_not_count() -> None:
    assert_type(bound.delay("a").get(), list[str])
    assert_type(fetch_bound.delay("a").get(), bytes)
    assert_type(shared_bound.delay(1.0).get(), str)


def results_of_coroutines_are_what_is_awaited() -> None:
    task: AsyncTask[[str], bytes] = fetch
    assert_type(task.delay("a").get(), bytes)
    assert_type(fetch.delay("a").get(), bytes)
    coroutine: Coroutine[Any, Any, bytes] = fetch("a")
    coroutine.close()


async def results_are_awaited() -> None:
    assert_type(await add.adelay(1, 2), AsyncResult[int])
    assert_type(await (await add.adelay(1)).aget(), int)
    assert_type(await add.delay(1), int)
    assert_type(await fetch("a"), bytes)
    assert_type(await (await fetch.aapply_async(("a",))).aget(), bytes)
    assert_type(await add.asend_many([(1,)]), list[AsyncResult[int]])
    await add.adelay("x")  # type: ignore[arg-type]
    await add.aapply_async((1,), countdwn=5)  # type: ignore[call-arg]


def wrong_calls_are_found() -> None:
    add.delay(1, "x")  # type: ignore[arg-type]
    add.delay()  # type: ignore[call-arg]
    add.delay(1, 2, 3)  # type: ignore[call-arg]
    add.delay(1, z=3)  # type: ignore[call-arg]
    send.delay(1)  # type: ignore[arg-type]
    bound.delay(1)  # type: ignore[arg-type]
    bound.delay("a", "b")  # type: ignore[call-arg]
    fetch.delay(1)  # type: ignore[arg-type]
    shared.delay("x")  # type: ignore[arg-type]
    greet.delay(1)  # type: ignore[arg-type]
    text: str = add.delay(1).get()  # type: ignore[assignment]
    add.apply_async((1,), countdown="soon")  # type: ignore[arg-type]
    add.apply_async((1,), countdwn=5)  # type: ignore[call-arg]
    add.apply_async((1,), routing_key="mails", link=None)
    add.apply_async((1,), priority="high")  # type: ignore[arg-type]
    add.send_many([(1,)], countdwn=5)  # type: ignore[call-arg]
    app.send_task("add", (1,), queue=5)  # type: ignore[arg-type]
    app.send_task("add", (1,), countdwn=5)  # type: ignore[call-arg]
    app.add_periodic_task(5, add, (1,), quue="slow")  # type: ignore[call-arg]
    add.delay(1).get(timout=1)  # type: ignore[call-arg]
    add.apply((1,), thorw=True)  # type: ignore[call-arg]
    add.s(1)  # type: ignore[attr-defined]
    app.control.inspect()  # type: ignore[attr-defined]
    print(text)
