"""The connection of a program to the workers that make its calls."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import queue
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from cardoon import App
from cardoon._connection import Connection
from cardoon.exceptions import CardoonError
from cardoon_data._calls import pickles
from cardoon_data._calls.futures import Future
from cardoon_data._calls.lost import GONE, Lost, gone, without_database
from cardoon_data._calls.parcels import Parcels
from cardoon_data._calls.pickled import PickledCall, of_user
from cardoon_data._calls.runner import Options, in_turn, settle
from cardoon_data._calls.seal import Seal
from cardoon_data._calls.wire import QUEUE, TASK, Wire

#: So many calls are sent, and looked for, at a time.
_BATCH = 1000
#: Whoever has waited for an answer waits for this part of it longer at most, within these bounds, in seconds.
_PART, _LEAST, _MOST = 0.1, 0.002, 0.02
#: Looking takes a tenth of the time at most, while nothing is found.
_LOOKS = 9
#: How long the store is left alone after it could not be reached, and for how long that is tried, in seconds.
_AGAIN, _PATIENCE = 0.5, 300.0
#: How long calls are revoked at the end of the program, in seconds.
_LAST = 5.0
#: So many calls are revoked at the same time.
_REVOKERS = 8
#: The priority of tasks whose calls have the priority 0, of 0 to 9.
_USUAL = 4


class Place(Protocol):
    """Where calls wait, and who works on them."""

    @property
    def broker(self) -> str:
        """The URL of the store."""

    @property
    def folder(self) -> Path | None:
        """What program and workers share for large values, if they do."""

    @property
    def error(self) -> Exception | None:
        """Why nobody works, if nobody does any more."""


class Link:
    """Sends calls in a thread and collects answers in another one, until :meth:`close` or the end of this process."""

    def __init__(self, place: Place, seal: Seal) -> None:
        self.parcels = Parcels(seal, place.folder)
        self._wire = Wire(seal, self.parcels)
        self.place = place
        self._app = App("cardoon_data.calls", broker=place.broker, backend=place.broker, set_as_current=False)
        # Ids of tasks: a random one for each call would ask the system ten thousand times for ten thousand calls.
        self._name, self._numbers = uuid.uuid4().hex, itertools.count(1)
        self._outbox: queue.SimpleQueue[Sequence[PickledCall]] = queue.SimpleQueue()
        #: What was sent and has not ended, the oldest first.
        self._pending: dict[str, PickledCall] = {}
        self._lock = threading.Lock()
        self._lost = Lost(self._probe)
        self._has_pending = threading.Event()
        self._is_closed = False
        self._revokers = ThreadPoolExecutor(_REVOKERS, thread_name_prefix="cardoon-revoke")
        works = {"cardoon-send": self._send_all, "cardoon-collect": self._collect_all}
        self._threads = [threading.Thread(target=work, name=name, daemon=True) for name, work in works.items()]
        for thread in self._threads:
            thread.start()
        # A thread that came back from compiled code after Python's end would end badly.
        atexit.register(self._close_at_exit)

    def send(self, calls: Sequence[PickledCall]) -> None:
        """Sends calls, soon."""
        self._outbox.put(calls)
        if self._is_closed:
            self._cancel(calls)

    def revoke(self, call: PickledCall) -> None:
        """Has a call not made, or stopped."""
        if self._taken(call.id) is not None and not self._is_closed:
            with contextlib.suppress(RuntimeError):
                self._revokers.submit(self._revoke, call.id)

    def close(self, revoke: bool = True) -> None:
        """Cancels what has not ended. ``revoke``: workers are told, which takes a moment for each call; it is not needed if they
        end too. A second time does nothing."""
        left = self._stop()
        if revoke and self.place.error is None:
            list(self._revokers.map(self._revoke, left))
        self._revokers.shutdown()
        self._app.close()

    def abandon(self) -> None:
        """In a fork: threads are not here, and what they held stays held."""
        atexit.unregister(self._close_at_exit)
        self._is_closed = True

    def _close_at_exit(self) -> None:
        left = self._stop()
        end = time.monotonic() + _LAST
        # A worker of this program's own ends with it. Others are told, by this thread: there are no new ones now.
        while left and self.place.folder is None and time.monotonic() < end:
            self._revoke(left.popitem()[0])
        self._app.close()

    def _stop(self) -> dict[str, PickledCall]:
        """Ends the threads, and answers what was sent and has not ended."""
        if self._is_closed:
            return {}
        self._is_closed = True
        atexit.unregister(self._close_at_exit)
        self._outbox.put(())
        self._has_pending.set()
        for thread in self._threads:
            # One of them may be here, in what an exception does where it is unpickled.
            if thread is not threading.current_thread():
                thread.join()
        left = self._take_all()
        self._cancel(left.values())
        while not self._outbox.empty():
            self._cancel(self._outbox.get())
        return left

    # In the thread that sends.

    def _send_all(self) -> None:
        # No name is given to the calls here: it would hold what they hold until the next ones come.
        while not self._is_closed:
            self._send_in_batches(self._next())

    def _next(self) -> list[PickledCall]:
        """Waits for calls, and takes those that came after them too."""
        calls = list(self._outbox.get())
        while len(calls) < _BATCH and not self._outbox.empty():
            calls += self._outbox.get()
        return calls

    def _send_in_batches(self, calls: list[PickledCall]) -> None:
        for start in range(0, len(calls), _BATCH):
            self._send(calls[start : start + _BATCH])

    def _send(self, calls: Sequence[PickledCall]) -> None:
        texts = {call: text for call in calls if (text := self._text(call)) is not None}
        with self._lock:
            self._pending.update((call.id, call) for call in texts)
        self._has_pending.set()
        # One that is cancelled from here on is found among those that are pending.
        said = [(call, text) for call, text in texts.items() if not call.future._end.done()]
        for (call, _), answer in zip(said, self._sent(said), strict=True):
            if isinstance(answer, BaseException):
                self._taken(call.id)
                settle(call.future, error=without_database(answer, is_own=self.place.folder is not None))

    def _text(self, call: PickledCall) -> str | None:
        try:
            if call.future._end.done():
                return None
            return call.text(f"{self._name}-{next(self._numbers)}", self._wire, self.parcels)
        except BaseException as error:  # noqa: BLE001 - Whoever asks for the result gets it.
            settle(call.future, error=of_user(error))
            return None

    def _sent(self, said: Sequence[tuple[PickledCall, str]]) -> Sequence[object]:
        """An id or an exception for each."""
        tasks: list[tuple[str, tuple[str], dict[str, Any], dict[str, Any]]] = []
        for call, text in said:
            priority = min(max(_USUAL + call.options.priority, 0), 9)
            tasks.append((TASK, (text,), {}, {"id": call.id, "queue": QUEUE, "priority": priority}))
        try:
            return self._connection.send_many(tasks)
        except Exception as error:  # noqa: BLE001 - As above.
            return [error] * len(said)

    # In the thread that collects.

    def _collect_all(self) -> None:
        pace, place, failing_since = _Pace(), 0, None
        while not self._is_closed:
            if not self._pending:
                self._wait_for_pending()
                self._lost.rest()
                pace, place = _Pace(), 0
            if self.place.error is not None:
                self._give_up(self.place.error)
            try:
                self._collect(place, pace)
                self._end_lost()
                failing_since = None
            except Exception as error:  # noqa: BLE001 - This thread must not end while calls are pending.
                failing_since = failing_since or time.monotonic()
                self._bear(error, failing_since)
            place = place + _BATCH if place + _BATCH < len(self._pending) else 0

    def _collect(self, place: int, pace: _Pace) -> None:
        """Collects what has ended of the oldest calls and of those from a place on. The store wakes this for the oldest one; the
        others are looked for."""
        with self._lock:
            ids = list(itertools.islice(self._pending, _BATCH))
            ids += itertools.islice(self._pending, max(place, _BATCH), place + _BATCH)
        if not ids:
            return
        self._connection.wait(ids[0], pace.pause())
        with pace.looking():
            ended = [record for record in self._connection.records(ids) if record is not None and record.is_final]
        for record in sorted(ended, key=lambda record: record.finished_at):
            call = self._taken(record.id)
            if call is not None:
                in_turn(partial(call.end, record, self._wire, self.parcels))
                pace.has_found()

    def _end_lost(self) -> None:
        for id in self._lost.found(self._ids, self._connection.state):
            call = self._taken(id)
            if call is not None:
                settle(call.future, error=gone(call.future.key))

    def _ids(self) -> list[str]:
        with self._lock:
            return list(self._pending)

    def _probe(self) -> Future:
        """Sends a call that does nothing, behind all others."""
        future = Future("probe")
        function, arguments = self.parcels.pack(pickles.dumps(int)), self.parcels.pack(pickles.dumps(((), {})))
        self.send([PickledCall(future, function, arguments, (), Options(priority=-_USUAL))])
        return future

    def _bear(self, error: Exception, since: float) -> None:
        """The store cannot be reached. What was sent is there when it can be again; for some time it is waited for."""
        if getattr(error, "code", None) == GONE or time.monotonic() - since > _PATIENCE:
            self._give_up(error)
        else:
            time.sleep(_AGAIN)

    def _wait_for_pending(self) -> None:
        self._has_pending.wait()
        self._has_pending.clear()

    def _give_up(self, error: Exception) -> None:
        left = self._take_all()
        if isinstance(error, CancelledError):
            self._cancel(left.values())
        told = without_database(error, is_own=self.place.folder is not None)
        for call in left.values():
            settle(call.future, error=told)

    # In any thread.

    def _taken(self, id: str) -> PickledCall | None:
        with self._lock:
            return self._pending.pop(id, None)

    def _take_all(self) -> dict[str, PickledCall]:
        with self._lock:
            left, self._pending = self._pending, {}
        return left

    def _revoke(self, id: str) -> None:
        with contextlib.suppress(CardoonError):
            self._connection.revoke(id)

    @staticmethod
    def _cancel(calls: Iterable[PickledCall]) -> None:
        for call in calls:
            call.future._end.cancel()

    @property
    def _connection(self) -> Connection:
        return self._app.connection


class _Pace:
    """How long to wait before answers are looked for again."""

    def __init__(self) -> None:
        self._found_at = time.monotonic()
        self._took = 0.0

    def pause(self) -> float:
        """In seconds."""
        waited = time.monotonic() - self._found_at
        return max(min(max(_PART * waited, _LEAST), _MOST), min(_LOOKS * self._took, _PART * waited))

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Measures how long it takes."""
        begin = time.monotonic()
        yield
        self._took = time.monotonic() - begin

    def has_found(self) -> None:
        """An answer was there."""
        self._found_at = time.monotonic()
