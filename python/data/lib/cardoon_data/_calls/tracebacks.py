"""Tracebacks of other processes."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from types import FrameType, TracebackType

#: File, line and function of a frame.
Place = tuple[str, int, str]


class RemoteTraceback(Exception):
    """The traceback of a worker, shown as the cause of what ``result`` raises."""

    def __init__(self, text: str, places: Sequence[Place]) -> None:
        super().__init__(text)
        self.places = places

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def plain(error: BaseException) -> RuntimeError:
    """What can be told of any exception."""
    return RuntimeError("".join(traceback.format_exception_only(type(error), error)).strip())


def places(tb: TracebackType | None) -> list[Place]:
    """The places of a traceback, the outermost first."""
    return [(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in traceback.walk_tb(tb)]


def rebuilt(places: Sequence[Place]) -> TracebackType | None:
    """A traceback with these places. Its frames have no variables."""
    made: TracebackType | None = None
    for file, line, name in reversed(places):
        # No instruction: which part of the line it was is not known here.
        made = TracebackType(made, _frame(file, line, name), -1, line)
    return made


def _frame(file: str, line: int, name: str) -> FrameType:
    code = compile("frame = here()", file, "exec").replace(co_name=name, co_firstlineno=line)
    variables = {"here": lambda: sys._getframe(1), "__name__": name}
    exec(code, variables)  # noqa: S102 - It is the text above.
    frame = variables["frame"]
    assert isinstance(frame, FrameType)
    return frame
