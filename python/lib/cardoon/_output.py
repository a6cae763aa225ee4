"""What tasks print: lines that say whose they are.

The first print of each call is preceded by a line that names the call, so that calls which print nothing cost nothing. What
does not pass through ``sys.stdout`` and ``sys.stderr``, such as the output of programs that a task starts, comes unmarked.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import Any

from cardoon import _core
from cardoon.request import CallContext, _running

#: A longer piece of a line is not held back, in characters.
MOST_HELD = 16 * 1024


def call_here() -> _core.Call | None:
    """The call that runs here, if one does."""
    running = _running.get()
    return running._call if isinstance(running, CallContext) else _core.current_call()


def install() -> None:
    """Replaces ``sys.stdout`` and ``sys.stderr``. UTF-8, whatever the locale says; written at once, so that nothing is lost
    when the process is killed."""
    pipe = _Pipe()
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = TaskText(MarkedOutput(number, f"<{name}>", pipe))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def redirect(descriptor: int, by_lines: bool) -> None:
    """Makes ``descriptor`` what standard output and standard error lead to. ``by_lines``: several calls print at once, so
    lines are kept whole; then :func:`end_call` is to be called where a call ends."""
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    TaskText.by_lines = by_lines


def end_call() -> None:
    """Ends the lines that the call which ends here has begun."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TaskText):
            stream.end_line()


class TaskText(io.TextIOWrapper):
    """A text stream of a process that runs tasks."""

    by_lines = False

    def __init__(self, output: MarkedOutput) -> None:
        super().__init__(output, encoding="utf-8", errors="backslashreplace", write_through=True)
        self._held: dict[int, str] = {}

    def write(self, text: str) -> int:
        if not self.by_lines:
            return super().write(text)
        tag = _tag_here()
        lines, newline, rest = (self._held.pop(tag, "") + text).rpartition("\n")
        if 0 < len(rest) < MOST_HELD:
            self._held[tag], rest = rest, ""
        if lines or newline or rest:
            super().write(lines + newline + rest)
        return len(text)

    def end_line(self) -> None:
        """Writes what is held back of the call that runs here."""
        rest = self._held.pop(_tag_here(), "")
        if rest:
            super().write(rest + "\n")


class MarkedOutput(io.RawIOBase):
    """The bytes below a text stream."""

    def __init__(self, descriptor: int, name: str, pipe: _Pipe) -> None:
        self._descriptor = descriptor
        self._pipe = pipe
        self.name = name

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: Any) -> int:
        data = bytes(data)
        if data:
            self._pipe.write(self._descriptor, data, _tag_here())
        return len(data)


class _Pipe:
    """Where both streams of a process lead to."""

    def __init__(self) -> None:
        self._forget()
        # What a forked process prints has a mark of its own, and no thread there holds the lock.
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        # Reentrant: a signal's handler may print while its thread does.
        self._turn = threading.RLock()
        self._marked = 0
        self._at_line_start = True

    def write(self, descriptor: int, data: bytes, tag: int) -> None:
        with self._turn:
            mark = b""
            if tag and tag != self._marked:
                newline = "" if self._at_line_start else "\n"
                mark = f"{newline}{_core.MARK}{tag}\n".encode()
                self._marked = tag
            self._at_line_start = data.endswith(b"\n")
            _write_all(descriptor, mark + data)


def _tag_here() -> int:
    call = call_here()
    return call.tag if call is not None else 0


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
