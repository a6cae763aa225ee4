"""A process that calls functions for the engine.

It reads frames from standard input and answers each chunk of rows with one on standard output. What functions print goes to
standard error. It ends when its input does, whatever it is doing then. Copies of it that functions make never answer.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import queue
import signal
import struct
import sys
import threading
import traceback
from base64 import b64decode
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from cardoon_data._applied import Call

#: A letter, and the length of what follows.
_HEAD = struct.Struct("<cQ")
#: The number of a chunk's first row.
_FIRST_ROW = struct.Struct("<Q")

#: Characters of a message and of a traceback that are told.
_LONGEST = 4000


def main() -> None:
    """Works until standard input ends."""
    requests, answers = _pipes()
    process = os.getpid()
    # Whoever is interrupted ends this process as well. Processes that functions start are interrupted as usual.
    signal.signal(signal.SIGINT, lambda *_: None)
    frames: queue.SimpleQueue[tuple[bytes, bytes]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, frames), daemon=True).start()
    from cardoon_data import _applied  # noqa: F401  It takes a while, and whoever waits for the greeting waits for it.

    _write(answers, b"H", json.dumps({"python": version()}).encode())
    function = _Function(b"")
    while True:
        kind, body = frames.get()
        if kind == b"F":
            function = _Function(body)
        else:
            _write(answers, *function.answer(body))
        if os.getpid() != process:
            # A function has forked, and came back in the copy too.
            os._exit(0)


def version() -> str:
    """The version of Python, whose functions another one cannot read."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


class _Function:
    """The function that is to be called, read when it is called first."""

    def __init__(self, pickled: bytes) -> None:
        self._pickled = pickled
        self._call: Call | None = None

    def answer(self, body: bytes) -> tuple[bytes, Any]:
        """What it makes of a chunk, as a frame."""
        from cardoon_data._layout import Unlike

        try:
            if self._call is None:
                self._call = _loaded(self._pickled)
            return b"R", self._called(self._call, body)
        except Unlike as unlike:
            return b"W", json.dumps({"what": unlike.what, "meta": unlike.meta}).encode()
        except BaseException as error:
            return b"X", json.dumps(_told(error)).encode()

    def _called(self, call: Call, body: bytes) -> Any:
        import pyarrow as pa

        (first_row,) = _FIRST_ROW.unpack_from(body)
        rows = pa.ipc.open_stream(pa.py_buffer(body)[_FIRST_ROW.size :]).read_all()
        made = call.rows(rows, first_row)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, made.schema) as stream:
            stream.write_table(made)
        return sink.getvalue()


def _loaded(pickled: bytes) -> Call:
    # What the author's process finds, functions may import.
    sent = pickle.loads(b64decode(pickled))
    sys.path += [folder for folder in sent["path"] if folder not in sys.path]
    call: Call = pickle.loads(sent["call"])
    return call


def _told(error: BaseException) -> dict[str, Any]:
    """What is told of an exception of a function."""
    cls = type(error)
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    bases = [each.__name__ for each in cls.__mro__ if each.__module__ == "builtins" and each is not object]
    lines = "".join(traceback.format_exception(cls, error, _of_author(error.__traceback__)))[-_LONGEST:].splitlines()
    return {"classes": list(dict.fromkeys([name, *bases])), "message": _message(error), "traceback": lines}


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_LONGEST]
    except Exception:
        return ""


def _of_author(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without those who called the function: our own frames at its beginning, and those of pandas after them."""
    called = _after(trace, _is_own)
    return _after(called, _is_of_pandas) or called or trace


def _after(trace: TracebackType | None, skipped: Callable[[FrameType], bool]) -> TracebackType | None:
    while trace is not None and skipped(trace.tb_frame):
        trace = trace.tb_next
    return trace


def _is_own(frame: FrameType) -> bool:
    # The module of a script is called like this one when it runs.
    return os.path.dirname(frame.f_code.co_filename) == os.path.dirname(__file__)


def _is_of_pandas(frame: FrameType) -> bool:
    # What is compiled has no whole path.
    return str(frame.f_globals.get("__name__")).startswith("pandas.")


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, which functions then do not have: they find an empty input, and print to standard error."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.register_at_fork(after_in_child=lambda: _leave(requests, answers, nothing))
    sys.stdout = io.TextIOWrapper(os.fdopen(os.dup(1), "wb"), encoding="utf-8", errors="replace", line_buffering=True)
    return os.fdopen(requests, "rb"), os.fdopen(answers, "wb")


def _leave(requests: int, answers: int, nothing: int) -> None:
    """Takes the pipes from a copy of this process, so that it neither answers nor keeps them open when this one has ended.
    Their numbers stay taken, since files here believe to have them."""
    for pipe in (requests, answers):
        os.dup2(nothing, pipe, inheritable=False)


def _read(requests: BinaryIO, frames: queue.SimpleQueue[tuple[bytes, bytes]]) -> None:
    try:
        while len(head := requests.read(_HEAD.size)) == _HEAD.size:
            kind, length = _HEAD.unpack(head)
            body = requests.read(length)
            if len(body) < length:
                break
            frames.put((kind, body))
    finally:
        os._exit(0)


def _write(answers: BinaryIO, kind: bytes, body: Any) -> None:
    content = memoryview(body)
    answers.write(_HEAD.pack(kind, content.nbytes))
    answers.write(content)
    answers.flush()


if __name__ == "__main__":
    main()
