"""What makes the calls of ``delayed``: that of the client that was made last."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from cardoon_data._calls.runner import Runner
from cardoon_data._calls.threads import Threads

#: The last one counts.
_in_effect: list[Runner] = []


def use(runner: Runner) -> None:
    """Makes calls by this one from now on."""
    _in_effect.append(runner)


def leave(runner: Runner) -> None:
    """Takes back :func:`use`."""
    _in_effect[:] = [each for each in _in_effect if each is not runner]


@contextmanager
def runner(threads: int | None = None) -> Iterator[Runner]:
    """That of the client, or threads if there is no client; or that many threads in any case."""
    if _in_effect and threads is None:
        yield _in_effect[-1]
        return
    made = Threads(threads or os.cpu_count() or 1)
    try:
        yield made
    finally:
        made.close()
