"""What tasks print: lines that say whose they are."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from cardoon import _core


class MarkedOutput(io.RawIOBase):
    """Standard output of a child. The first print of each call is preceded by a line that names the call, so that calls
    which print nothing cost nothing."""

    def __init__(self, descriptor: int, at_line_start: list[bool], marked: list[int]) -> None:
        self._descriptor = descriptor
        #: Shared by the two streams of a process, which are one pipe.
        self._at_line_start = at_line_start
        self._marked = marked

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: Any) -> int:
        data = bytes(data)
        if not data:
            return 0
        call = _core.current_call()
        tag = call.tag if call is not None else 0
        mark = b""
        if tag and tag != self._marked[0]:
            newline = "" if self._at_line_start[0] else "\n"
            mark = f"{newline}{_core.MARK}{tag}\n".encode()
            self._marked[0] = tag
        self._at_line_start[0] = data.endswith(b"\n")
        _write_all(self._descriptor, mark + data)
        return len(data)


def redirect(descriptor: int) -> None:
    """Makes ``descriptor`` what standard output and standard error lead to. UTF-8, whatever the locale says."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    at_line_start, marked = [True], [0]
    for name, number in (("stdout", 1), ("stderr", 2)):
        raw = MarkedOutput(number, at_line_start, marked)
        text = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True
        )
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = os.write(descriptor, view)
        view = view[written:]
