"""What is sent goes on in the trace of whoever sends it."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from cardoon import App
from helpers.project import Project

TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

TASKS = """
@app.task(bind=True)
def look(self):
    return self.request.get("traceparent")

@app.task
def send_on():
    return look.delay().id

@app.task(bind=True)
def tried_again(self):
    if self.request.retries == 0:
        raise self.retry(countdown=0.01)
    return self.request.headers.get("traceparent")

@app.task
def prints():
    print("a line")

@app.task
def fails():
    raise ValueError("no")
"""

WITH_OPENTELEMETRY = """
from opentelemetry import trace

def seen():
    return trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)

@app.task
def see():
    return seen()

@app.task
async def see_soon():
    import asyncio
    await asyncio.sleep(0.01)
    return seen()

@app.task
def takes(one):
    return one
"""


def in_span() -> Any:
    """A span of the program that sends."""
    return use_span(NonRecordingSpan(SpanContext(TRACE_ID, 0xB7AD6B7169203331, False, TraceFlags(1))))


def test_a_task_that_is_sent_within_a_span_carries_it(project: Project) -> None:
    project.write(TASKS)
    project.worker()
    with in_span():
        inside = project.send("look")
    outside = project.send("look")
    assert inside.get(timeout=30) == PARENT
    assert outside.get(timeout=30) is None


def test_the_senders_own_header_stays(project: Project) -> None:
    project.write(TASKS)
    project.worker()
    own = PARENT.replace("b7ad", "0001")
    with in_span():
        result = project.app.send_task("tasks.look", headers={"traceparent": own})
    assert result.get(timeout=30) == own


def test_a_task_hands_its_trace_on_and_keeps_it_when_it_is_tried_again(project: Project) -> None:
    project.write(TASKS)
    project.worker()
    with in_span():
        first, again = project.send("send_on"), project.send("tried_again")
    assert project.app.AsyncResult(first.get(timeout=30)).get(timeout=30) == PARENT
    assert again.get(timeout=30) == PARENT


@pytest.mark.parametrize("pool", ["processes", "threads", "asyncio"])
def test_opentelemetry_sees_the_trace_in_every_pool(project: Project, pool: str) -> None:
    project.write(WITH_OPENTELEMETRY)
    project.worker("--pool", pool)
    with in_span():
        results = [project.send("see"), project.send("see_soon")]
    outside = project.send("see")
    assert [result.get(timeout=30) for result in results] == [trace.format_trace_id(TRACE_ID)] * 2
    assert outside.get(timeout=30) == "0" * 32


def test_arguments_that_do_not_fit_are_told_within_a_trace_too(project: Project) -> None:
    project.write(WITH_OPENTELEMETRY)
    project.worker()
    with in_span(), pytest.raises(TypeError, match="takes"):
        project.app.send_task("tasks.takes", (1, 2)).get(timeout=30)


def test_the_log_names_task_queue_attempt_worker_and_trace(project: Project) -> None:
    import json

    project.write(TASKS)
    worker = project.worker("--log-format", "json", "--name", "w1")
    with in_span():
        ids = {name: project.send(name).id for name in ("prints", "fails")}
    for name, text in (("prints", "a line"), ("fails", "task failed")):
        line = json.loads(worker.wait_for_log(f'"message":"{text}')[0])
        assert line["task.id"] == ids[name] and line["task.name"] == f"tasks.{name}"
        assert (line["queue"], line["attempt"], line["worker"]) == ("celery", 0, "w1")
        assert line["trace_id"] == trace.format_trace_id(TRACE_ID)


def test_an_eager_task_has_the_trace_too() -> None:
    app = App("eager", set_as_current=False, task_always_eager=True)

    @app.task(bind=True)
    def look(self: Any) -> Any:
        return self.request.get("traceparent"), trace.get_current_span().get_span_context().trace_id

    with in_span():
        assert look.delay().get() == [PARENT, TRACE_ID]
