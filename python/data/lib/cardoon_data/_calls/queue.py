"""Calls on the task queue, in processes of their own."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Any

from cardoon_data._calls import pickles
from cardoon_data._calls.futures import Future
from cardoon_data._calls.link import Link, Place
from cardoon_data._calls.pickled import PickledAnswer, PickledCall
from cardoon_data._calls.runner import Call, Options, Row, Runner, Started, settle
from cardoon_data._calls.seal import Seal


class Queue(Runner):
    """Has the workers of a place make calls. ``place`` is asked for it with the first call."""

    def __init__(self, token: str, place: Callable[[], Place]) -> None:
        super().__init__()
        self._seal = Seal(token)
        self._place = place
        self._link: Link | None = None
        #: Calls that have not returned; others are gone.
        self._made: weakref.WeakSet[PickledCall] = weakref.WeakSet()
        self._is_closed = False
        self._lock = threading.Lock()
        _queues.add(self)

    def scatter(self, key: str, value: Any) -> Future:
        parcels = self._opened().parcels
        future = Future(key, self)
        settle(future, PickledAnswer(parcels.pack(pickles.dumps(value)), parcels))
        return future

    def cancel(self, future: Future) -> bool:
        call = future._call
        is_cancelled = super().cancel(future)
        if is_cancelled and self._link is not None and isinstance(call, PickledCall):
            self._link.revoke(call)
        return is_cancelled

    def close(self, revoke: bool = True) -> None:
        with self._lock:
            self._is_closed = True
        if self._link is not None:
            self._link.close(revoke)

    def _maker(self, function: Callable[..., Any], options: Options) -> Callable[[Future, Row], Call]:
        parcels = self._opened().parcels
        pickled = parcels.pack(pickles.dumps(function))
        started = Started(self)

        def make(future: Future, row: Row) -> Call:
            written, needs = pickles.dumps_with_slots((row.args, row.kwargs))
            call = PickledCall(future, pickled, parcels.pack(written), started.of(needs), options)
            self._made.add(call)
            return call

        return make

    def _run(self, calls: Sequence[Call]) -> None:
        made = [call for call in calls if isinstance(call, PickledCall)]
        try:
            self._opened().send(made)
        except Exception:  # noqa: BLE001 - It is closed, or there is no worker any more.
            for call in made:
                call.future._end.cancel()

    def _opened(self) -> Link:
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the client is closed")
            if self._link is None:
                self._link = Link(self._place(), self._seal)
            error = self._link.place.error
            if error is not None:
                raise RuntimeError(str(error)) if isinstance(error, CancelledError) else error
            return self._link

    def _be_of_fork(self) -> None:
        """Begins anew with the next call. Those that were made are the other process's."""
        self._lock = threading.Lock()
        for call in list(self._made):
            if not call.future._end.done():
                call.future._lose(RuntimeError("the call is one of the process that this one is a fork of"))
        if self._link is not None:
            self._link.abandon()
            self._link = None


#: Those of this process, or of one that it is a fork of.
_queues: weakref.WeakSet[Queue] = weakref.WeakSet()


def _begin_anew() -> None:
    for each in list(_queues):
        each._be_of_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
