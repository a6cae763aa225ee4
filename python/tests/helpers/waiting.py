"""Waiting for what a test needs, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

#: So long a test waits for what must happen. Generous: it is reached only when something is wrong.
DEADLINE_SECS = 30.0

T = TypeVar("T")


def until(condition: Callable[[], T], what: str, deadline_secs: float = DEADLINE_SECS) -> T:
    """What ``condition`` answers once that is true."""
    end = time.monotonic() + deadline_secs
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_secs:g} s: {what}")
        time.sleep(0.005)
