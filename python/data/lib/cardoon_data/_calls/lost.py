"""Calls whose answers are gone: a store keeps them for some time, and a program can be stopped for longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cardoon_data._calls.futures import Future

#: Answers that were not looked for that long may be gone, in seconds.
SILENCE = 60.0
#: A call may have come back into its queue from a worker that has died, so one look does not suffice.
_ROUNDS = 2


class Lost:
    """Finds them. The store does not tell a call that is gone from one that still waits. So a ``probe`` is sent, a call behind
    all others: what still seems to wait when that has ended is gone.
    """

    def __init__(self, probe: Callable[[], Future]) -> None:
        self._send_probe = probe
        self._probe: Future | None = None
        self._suspects: Sequence[str] = ()
        self._rounds = 0
        self._looked_at = time.monotonic()

    def rest(self) -> None:
        """There was nothing to look for until now."""
        self._looked_at = time.monotonic()

    def found(self, pending: Callable[[], Sequence[str]], state: Callable[[str], str]) -> Sequence[str]:
        """The ids of those that are gone, after each look for answers."""
        before, self._looked_at = self._looked_at, time.monotonic()
        if self._looked_at - before > SILENCE:
            self._begin(pending(), _ROUNDS)
        if self._probe is None or not self._probe.done():
            return ()
        has_run = self._probe.status == "finished"
        left = set(pending()).intersection(self._suspects) if has_run else ()
        missing = [id for id in left if state(id) == "PENDING"]
        rounds, self._probe = self._rounds, None
        if missing and rounds > 1:
            self._begin(missing, rounds - 1)
            return ()
        return missing

    def _begin(self, suspects: Sequence[str], rounds: int) -> None:
        self._suspects, self._rounds = suspects, rounds
        self._probe = self._send_probe() if suspects else None


def gone(key: str) -> RuntimeError:
    """What ends the future of such a call."""
    return RuntimeError(
        f"the answer of {key} is gone: the program did not ask for as long as answers are kept, or the store has lost it; "
        "retry() makes the call again"
    )
