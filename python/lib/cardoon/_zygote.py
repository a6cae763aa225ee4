"""The process that has the application imported and makes children of itself.

A worker runs ``python -m cardoon._zygote --app NAME``; standard input is the line to it. This process has one thread and
opens no connection, so that it can be forked at any time.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# What children need is imported here, where they share it.
from cardoon import _child, _loader, _output
from cardoon._greeting import greeting
from cardoon._wire import Line
from cardoon.app import App


#: A spare child is made when no child has been wanted for so long.
QUIET_SECS = 0.05


def main() -> None:
    options = _options()
    # What the application sees is a program without arguments, not how this one is told what to do.
    sys.argv = ["cardoon"]
    line = Line(_take_line())
    # Before the import: log handlers keep the streams that they find.
    _output.install()
    _leave_signals_to_worker()
    with line.watched(), _failures_told(line, options["--app"]):
        app = _loader.load(options["--app"])
        app.import_tasks()
        for module in filter(None, options["--include"].split(",")):
            importlib.import_module(module.strip())
        # What it sent while it was imported is sent; a connection cannot be forked.
        app.close()
        pool = options["--pool"] or app.conf.worker_pool or "processes"
        said = greeting(app, pool)
        _child.prepare(app, pool)
    line.say({"greeting": said})
    # The import may have changed what signals do.
    _leave_signals_to_worker()
    gc.collect()
    # Objects that are never collected are never written to, and so stay shared with children.
    gc.freeze()
    _make_children(line, app, pool)


def _options() -> dict[str, str]:
    """The worker writes them, each with its value; what reads options for people would stay in the memory of each child."""
    words = sys.argv[1:]
    return {"--pool": "", "--include": "", **dict(zip(words[::2], words[1::2]))}


def _take_line() -> socket.socket:
    line = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return line


def _leave_signals_to_worker() -> None:
    """The terminal sends Ctrl-C to all processes in front of it, and systemd its SIGTERM to all of a service; what ends
    children is their worker's to say. A handler, and not SIG_IGN, which the programs that tasks start would inherit."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave_to_worker)


def _leave_to_worker(_number: int, _frame: object) -> None:
    pass


@contextmanager
def _failures_told(line: Line, name: str) -> Iterator[None]:
    """Tells the worker why the application cannot be used, and ends this process."""
    try:
        yield
    except _loader.Unusable as problem:
        _fail(line, str(problem), problem.checked, problem.hint)
    except BaseException as error:  # noqa: BLE001 - whatever an import raises, SystemExit included.
        sys.stderr.write(_traceback(error))
        last = traceback.format_exception_only(type(error), error)[-1].strip()
        _fail(line, f"importing {name} fails: {last}", [f"Python: {sys.executable}"], "the traceback stands above")


def _fail(line: Line, message: str, checked: list[str], hint: str) -> None:
    line.say({"failed": {"message": message, "checked": checked, "hint": hint}})
    os._exit(0)


def _traceback(error: BaseException) -> str:
    """The traceback from the application's first own frame on."""
    tb = error.__traceback__
    while tb is not None and _is_machinery(tb.tb_frame.f_globals.get("__name__", "")):
        tb = tb.tb_next
    return "".join(traceback.format_exception(type(error), error, tb))


def _is_machinery(module: str) -> bool:
    return module in ("__main__", "cardoon._loader", "cardoon.app") or module.startswith("importlib")


def _make_children(line: Line, app: App, pool: str) -> None:
    forks, spare = False, None
    while True:
        if forks and spare is None and not line.has_word(QUIET_SECS):
            # Not at once: the processors are for what waits for the child that was given.
            spare = _next_spare(line, app, pool)
        order = line.hear()
        if order is None:
            # The worker is gone, and nobody wants children any more.
            os._exit(0)
        if order["make"] == "become":
            _become(line, app, pool, order["place"])
        # There may be none yet, or it has died.
        if spare is None or not spare.give(line, order["place"]):
            if not _Spare(line, app, pool).give(line, order["place"]):
                raise OSError("a child died before it was given")
        forks, spare = True, None


def _become(line: Line, app: App, pool: str, place: _child.Place) -> None:
    handles = _Handles()
    line.say({"made": os.getpid()}, [*handles.theirs, os.pidfd_open(os.getpid())])
    handles.close_theirs()
    line.close()
    _live(app, pool, place, handles)


def _next_spare(line: Line, app: App, pool: str) -> _Spare | None:
    try:
        return _Spare(line, app, pool)
    except OSError:
        # Too many processes now; the next child is forked when it is wanted.
        return None


class _Spare:
    """A child that is forked and waits to hear where it works. Forking takes longer than tasks should wait that were behind
    one that has killed its child."""

    def __init__(self, line: Line, app: App, pool: str) -> None:
        self._handles = _Handles()
        self._gate = os.pipe()
        reader, writer = os.pipe()
        middle = os.fork()
        if middle == 0:
            # The worker adopts what its parent leaves behind, and so hears how a child ends.
            if _fork_and_tell(writer):
                os._exit(0)
            try:
                for descriptor in (reader, writer, self._gate[1], *self._handles.theirs):
                    os.close(descriptor)
                line.close()
                place = self._wait_for_place()
            except BaseException:  # noqa: BLE001 - whatever it is, this process is no zygote.
                os._exit(70)
            _live(app, pool, place, self._handles)
        os.close(writer)
        with suppress(ChildProcessError):
            # An application may have the kernel bury its children.
            os.waitpid(middle, 0)
        told = os.read(reader, 32)
        os.close(reader)
        os.close(self._gate[0])
        self._handles.close_ours()
        if not told:
            os.close(self._gate[1])
            self._handles.close_theirs()
            raise OSError("a child could not be forked")
        self._pid = int(told)

    def give(self, line: Line, place: _child.Place) -> bool:
        """Tells it where it works, and gives it to the worker. False if it is dead."""
        process = -1
        try:
            process = os.pidfd_open(self._pid)
            os.write(self._gate[1], json.dumps(place).encode())
        except OSError:
            return False
        else:
            line.say({"made": self._pid}, [*self._handles.theirs, process])
            return True
        finally:
            if process >= 0:
                os.close(process)
            os.close(self._gate[1])
            self._handles.close_theirs()

    def _wait_for_place(self) -> _child.Place:
        with os.fdopen(self._gate[0], "rb") as gate:
            told = gate.read()
        if not told:
            # The zygote is gone, and its worker too.
            os._exit(0)
        place: _child.Place = json.loads(told)
        return place


def _fork_and_tell(writer: int) -> int:
    try:
        child = os.fork()
        if child:
            os.write(writer, str(child).encode())
        return child
    except OSError as error:
        sys.stderr.write(f"cannot fork: {error}\n")
        os._exit(1)


def _live(app: App, pool: str, place: _child.Place, handles: _Handles) -> None:
    try:
        _child.run(app, pool, place, *handles.ours)
    except BaseException:  # noqa: BLE001 - there is nobody left to tell but the worker's log.
        traceback.print_exc()
        os._exit(70)
    os._exit(0)


class _Handles:
    """The two ends of what connects a child and its worker."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        reader, writer = os.pipe()
        note = os.memfd_create("cardoon-note", os.MFD_CLOEXEC)
        self.ours = (ours.detach(), writer, os.dup(note))
        self.theirs = (theirs.detach(), reader, note)

    def close_ours(self) -> None:
        for descriptor in self.ours:
            os.close(descriptor)

    def close_theirs(self) -> None:
        for descriptor in self.theirs:
            os.close(descriptor)


if __name__ == "__main__":
    try:
        main()
    except ConnectionError:
        # The worker is gone.
        os._exit(0)
