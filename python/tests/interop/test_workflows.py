"""Messages of Celery that ask for something to be sent after their task."""

from __future__ import annotations

import pytest

from interop.lab import OURS, Lab

pytestmark = pytest.mark.usefixtures("our_worker")

#: What asks for it, by the name in the message's body.
ASKS = {"chain": "chain", "link": "callbacks", "link_error": "errbacks", "chord": "chord"}


@pytest.mark.parametrize("kind", ASKS)
def test_a_task_that_something_is_to_follow_is_refused_and_not_executed_in_part(lab: Lab, kind: str) -> None:
    id = lab.celery.ask("send_canvas", kind, OURS)
    letter = lab.dead_letter(id)
    assert letter["task"] == "interop.note"
    assert letter["reason"] == "refused"
    why = f"it asks for follow-ups ({ASKS[kind]})"
    assert why in letter["detail"]
    raised = lab.celery.raised(id)
    assert raised["state"] == "FAILURE" and why in raised["text"]
    assert not [line for line in lab.notes(kind) if id in line]
    assert lab.notes("follows") == []


def test_a_group_is_executed(lab: Lab) -> None:
    first, second = lab.celery.ask("send_canvas", "group", OURS)
    assert [lab.celery.get(first), lab.celery.get(second)] == ["group", "in group"]
