"""Sends once more what a store could not take at the first time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from cardoon.exceptions import OperationalError

T = TypeVar("T")

_POLICY = {"max_retries": 3, "interval_start": 0.0, "interval_step": 0.2, "interval_max": 1.0}


def pauses(policy: Mapping[str, Any]) -> Iterator[float]:
    """Seconds before each further attempt; without end if ``max_retries`` is None."""
    unknown = policy.keys() - _POLICY.keys() - {"errback", "retry_errors"}
    if unknown:
        raise TypeError(f"retry_policy has no {', '.join(sorted(unknown))}; it has {', '.join(_POLICY)}")
    said = {**_POLICY, **policy}
    numbers = itertools.count() if said["max_retries"] is None else range(said["max_retries"])
    return (
        min(said["interval_start"] + number * said["interval_step"], said["interval_max"]) for number in numbers
    )


def send_again(send: Callable[[], T], error: OperationalError, policy: Mapping[str, Any], is_named: bool) -> T:
    """Calls ``send`` until it succeeds or the policy is at its end, which raises the last error.

    If the store may have taken the task although it did not answer, only a task whose id was given (``is_named``) is sent
    again: for another one that would add a second task.
    """
    for pause in pauses(policy):
        if error.kind != "Unavailable" and not is_named:
            break
        time.sleep(pause)
        try:
            return send()
        except OperationalError as again:
            error = again
    raise error
