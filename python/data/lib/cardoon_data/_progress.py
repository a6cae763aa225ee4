"""How far a query has come, on the terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TextIO

from cardoon_data._engine import Engine
from cardoon_data._sizes import human, of_files
from cardoon_data._terms import Json

_WIDTH = 30

_active: list[ProgressBar] = []


class ProgressBar:
    """Shows the rows and bytes that queries have read, on a line of its own.

    >>> with ProgressBar():
    ...     frame.groupby("user_id").size().compute()

    ``dt``: seconds between two looks. ``out``: where to; standard error by default. Nothing is shown on what is no
    terminal. Rows and bytes are those of CSV files; other files are read without a word.
    """

    def __init__(self, dt: float = 0.1, out: TextIO | None = None) -> None:
        self.dt = dt
        self._out = out

    def register(self) -> None:
        """Shows all queries from now on."""
        _active.append(self)

    def unregister(self) -> None:
        """Shows no more queries."""
        _active.remove(self)

    def __enter__(self) -> ProgressBar:
        self.register()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.unregister()

    def _follow(self, engine: Engine, total: int | None, ended: threading.Event) -> None:
        out = self._out or sys.stderr
        if not out.isatty():
            return
        while not ended.wait(self.dt):
            out.write("\r" + line(engine.progress(), total))
            out.flush()
        out.write("\r" + line(engine.progress(), total) + "\n")
        out.flush()


def line(progress: tuple[int, int, int], total: int | None) -> str:
    """What is shown: a bar if it is known how many bytes there are, bytes, rows."""
    rows, read, bad = progress
    bar = ""
    if total:
        share = min(read / total, 1.0)
        bar = f"[{'#' * int(share * _WIDTH):<{_WIDTH}}] {share:4.0%}  "
    return f"{bar}{human(read)}  {rows:,} rows" + (f"  {bad:,} left out" if bad else "")


@contextmanager
def shown(engine: Engine, plan: Json) -> Iterator[None]:
    """Shows the query that runs within, if it is to be shown. The query has this thread, so that Ctrl-C reaches it."""
    if not _active:
        yield
        return
    ended = threading.Event()
    follow = threading.Thread(target=_active[-1]._follow, args=(engine, of_files(plan), ended), daemon=True)
    follow.start()
    try:
        yield
    finally:
        ended.set()
        follow.join()
