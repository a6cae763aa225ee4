"""Traces that begin at a real Celery with OpenTelemetry's instrumentation, and end there."""

from __future__ import annotations

import pytest

from interop.environments import has_traces
from interop.lab import OURS, THEIRS, TRACED, Lab

pytestmark = pytest.mark.usefixtures("our_worker", "their_worker")


def test_a_trace_of_celery_arrives_in_our_worker(lab: Lab) -> None:
    if not has_traces(lab.version):
        return
    assert lab.our_traced_worker
    id, trace = lab.celery.ask("send_in_trace", "interop.trace", queue=OURS)
    assert lab.celery.get(id) == [trace, None]
    id, trace = lab.celery.ask("send_in_trace", "interop.trace", queue=TRACED)
    assert lab.celery.get(id) == [trace, trace], "OpenTelemetry sees it too"


def test_a_trace_of_ours_arrives_in_a_worker_of_celery(lab: Lab) -> None:
    if not has_traces(lab.version):
        return
    assert lab.our_traced_worker
    for queue in (OURS, TRACED):
        id, trace = lab.celery.ask("send_in_trace", "interop.send_trace_on", (THEIRS,), queue=queue)
        assert lab.celery.get(lab.celery.get(id)) == [trace, trace]


def test_a_trace_stays_when_a_task_is_tried_again(lab: Lab) -> None:
    if not has_traces(lab.version):
        return
    id, trace = lab.celery.ask("send_in_trace", "ours.headers", (["traceparent"],), queue=OURS)
    before, after, retries = lab.celery.get(id)
    assert before == after and before["traceparent"].split("-")[1] == trace
    assert retries == 1
