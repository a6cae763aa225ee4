"""Calls whose answers are gone, and what is said of them: a store keeps them for some time, and a program can be stopped for longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cardoon.exceptions import CardoonError, NotRegistered, TaskFailed
from cardoon_data._calls.futures import Future
from cardoon_data._calls.wire import QUEUE

#: The code of a store that is gone for good: its file was removed or replaced.
GONE = "CD1109"

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


def without_database(error: BaseException, is_own: bool) -> BaseException:
    """The error of a database that was removed, with what is to be done about calls in place of about tasks. ``is_own``:
    whether it was that of a cluster of this program."""
    if not isinstance(error, CardoonError) or error.code != GONE:
        return error
    hint = "start the workers again (cardoon-data calls), make another Client, and submit again what is not done"
    if is_own:
        hint = (
            "close the client and its LocalCluster, make others, and submit again what is not done; with local_directory= calls "
            "lie in a folder that no cleaner of temporary files empties"
        )
    said = f"the database of calls is gone: {error.message}"
    return type(error)(
        said, code=error.code, kind=error.kind, causes=error.causes, checked=error.checked, hint=hint
    )


def unknown_to(key: str, error: TaskFailed) -> Exception:
    """The error of a call that came to a worker of tasks, if it is that; otherwise the error."""
    if error.kind != "UnknownTask":
        return error
    return NotRegistered(
        f"the call {key} came to a worker that makes no calls",
        code="CD3005",
        kind="Invalid",
        causes=[str(error)],
        hint=f"start `cardoon-data calls --broker URL`, and take the queue {QUEUE} from the -Q of workers of other applications",
    )


def gone(key: str) -> RuntimeError:
    """What ends the future of such a call."""
    return RuntimeError(
        f"the answer of {key} is gone: the program did not ask for as long as answers are kept, or the store has lost it; "
        "retry() makes the call again"
    )
