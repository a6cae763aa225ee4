"""What a worker's child does with a call: the application ``-A cardoon_data._calls.task``.

It imports neither pandas nor the engine: functions bring what they need.
"""

from __future__ import annotations

import contextlib
import functools
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from cardoon import App, Task
from cardoon_data._calls import making, pickles
from cardoon_data._calls.parcels import Parcels
from cardoon_data._calls.seal import Seal
from cardoon_data._calls.tracebacks import places, plain
from cardoon_data._calls.wire import FOLDER, OUTPUT, TASK, TOKEN, Message, Outcome, Wire

#: So many functions are kept unpickled.
_FUNCTIONS = 128

app = App("cardoon_data._calls.task", set_as_current=False)

#: What functions start must not inherit the token.
_seal = Seal(os.environ.pop(TOKEN, ""))
_folder = os.environ.pop(FOLDER, "")
_parcels = Parcels(_seal, Path(_folder) if _folder else None)
_wire = Wire(_seal, _parcels)



def _output() -> list[TextIO]:
    """The standard output and error of the program that has started the worker."""
    files: list[TextIO] = []
    for number in filter(None, os.environ.pop(OUTPUT, "").split(",")):
        os.set_inheritable(int(number), False)
        files.append(open(int(number), "w", buffering=1, encoding="utf-8", errors="backslashreplace"))
    return files


_terminal = _output()


@app.task(name=TASK, bind=True, typing=False)
def call(self: Task[..., Any], sealed: object) -> str:
    """Makes a call that is signed, and answers its outcome, signed too. What the function raises is an outcome."""
    id = self.request.id or ""
    message = _wire.read_message(id, sealed)
    try:
        outcome = Outcome(_parcels.pack(_value(message), keep=False).content)
    except BaseException as error:  # noqa: BLE001 - The program gets it.
        if self.request.retries < message.retries:
            self.retry(exc=plain(error), countdown=0, max_retries=message.retries)
        outcome = _failed(error)
    return _wire.write_outcome(id, outcome)


def _value(message: Message) -> bytes:
    function = _function(message.function)
    needs = [pickles.loads(_parcels.unpack(need)) for need in message.needs]
    args, kwargs = pickles.loads(_parcels.unpack(message.arguments), needs)
    with _printing():
        return pickles.dumps(making.made(function, args, kwargs))


@functools.lru_cache(_FUNCTIONS)
def _function(parcel: bytes | str) -> Callable[..., Any]:
    function: Callable[..., Any] = pickles.loads(_parcels.unpack(parcel))
    return function


@contextlib.contextmanager
def _printing() -> Iterator[None]:
    """What functions print is to be seen where the program's own lines are."""
    if not _terminal:
        yield
        return
    with contextlib.redirect_stdout(_terminal[0]), contextlib.redirect_stderr(_terminal[1]):
        yield


def _failed(error: BaseException) -> Outcome:
    tb = _of_user(error.__traceback__)
    text = "".join(traceback.format_exception(type(error), error, tb))
    return Outcome(None, _pickled(error), text, places(tb))


def _pickled(error: BaseException) -> bytes:
    try:
        # A function that wants its process to end does not mean the program.
        if isinstance(error, Exception):
            pickled = pickles.dumps(error)
            # Some exceptions can be pickled, and not made again of it.
            pickles.loads(pickled)
            return pickled
    except Exception:  # noqa: BLE001, S110 - Whatever an exception's class does.
        pass
    return pickles.dumps(plain(error))


def _of_user(tb: TracebackType | None) -> TracebackType | None:
    """From the function's own frame on."""
    while tb is not None and tb.tb_frame.f_code.co_filename in (__file__, making.__file__):
        tb = tb.tb_next
    return tb
