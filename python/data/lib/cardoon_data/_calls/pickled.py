"""Calls and answers as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError
from functools import partial
from typing import Any

from cardoon._core import Record
from cardoon._outcome import exception_of
from cardoon.exceptions import TaskFailed, WorkerLostError
from cardoon_data._calls import pickles
from cardoon_data._calls.futures import Answer, Future, KilledWorker, Unread
from cardoon_data._calls.lost import unknown_to
from cardoon_data._calls.parcels import Parcel, Parcels
from cardoon_data._calls.runner import Call, Options, settle
from cardoon_data._calls.tracebacks import RemoteTraceback, plain
from cardoon_data._calls.wire import Message, Outcome, Wire


class PickledAnswer:
    """An answer that is unpickled when somebody asks for it."""

    def __init__(self, parcel: Parcel, parcels: Parcels) -> None:
        self.parcel = parcel
        self._parcels = parcels

    def value(self) -> Any:
        return pickles.loads(self.pickled())

    def pickled(self) -> bytes | memoryview:
        """What it is unpickled of."""
        try:
            return self._parcels.unpack(self.parcel.content)
        except FileNotFoundError:
            raise CancelledError("the value is gone with the cluster that had it") from None


class PickledCall(Call):
    """A call with what it needs as bytes. ``id`` is that of its task: another one each time that it is sent."""

    def __init__(
        self, future: Future, function: Parcel, arguments: Parcel, needs: Sequence[Future], options: Options
    ) -> None:
        super().__init__(future, needs, options)
        self.id = ""
        self._function = function
        self._arguments = arguments
        #: What has to be kept until the call has ended.
        self._message: Parcel | None = None
        self._needed: Sequence[Parcel] = ()

    def text(self, id: str, wire: Wire, parcels: Parcels) -> str:
        """What travels, as the task ``id``."""
        self.id = id
        self._needed = [_parcel(need, parcels) for need in self.needs]
        needs = [parcel.content for parcel in self._needed]
        message = Message(self._function.content, self._arguments.content, needs, self.options.retries)
        text, self._message = wire.write_message(self.id, message)
        return text

    def end(self, record: Record, wire: Wire, parcels: Parcels) -> None:
        """Ends its future, as the record of its task says."""
        self._message, self._needed = None, ()
        try:
            if record.state == "REVOKED":
                self.future._end.cancel()
            elif record.state == "SUCCESS":
                settle(self.future, *_outcome(self.id, record, wire, parcels))
            else:
                settle(self.future, error=self._not_made(exception_of(record)))
        except BaseException as error:  # noqa: BLE001 - What unpickling raises is for who asks for the result.
            settle(self.future, error=of_user(error))

    def _not_made(self, error: BaseException) -> BaseException:
        if isinstance(error, WorkerLostError):
            return KilledWorker(f"the call {self.future.key} ends the process that makes it, again and again: {error}")
        return unknown_to(self.future.key, error) if isinstance(error, TaskFailed) else error


def of_user(error: BaseException) -> Exception:
    """The error. One that wants a process to end does not mean the program."""
    return error if isinstance(error, Exception) else plain(error)


def _outcome(id: str, record: Record, wire: Wire, parcels: Parcels) -> tuple[Answer | None, BaseException | None]:
    outcome = wire.read_outcome(id, record.value())
    if outcome.error is None:
        assert outcome.value is not None
        return PickledAnswer(parcels.taken(outcome.value), parcels), None
    return None, Unread(partial(_read, outcome.error, outcome))


def _read(pickled: bytes, outcome: Outcome) -> BaseException:
    """The exception that a function has raised. What unpickling raises is in place of it."""
    try:
        error = of_user(pickles.loads(pickled))
    except KeyboardInterrupt:
        # Who asks for it has had enough of waiting.
        raise
    except BaseException as raised:  # noqa: BLE001 - Whoever asks for the result gets it.
        return of_user(raised)
    error.__cause__ = RemoteTraceback(outcome.traceback, outcome.places)
    return error


def _parcel(need: Future, parcels: Parcels) -> Parcel:
    """The result of a future as it came, or pickled anew if it is another client's."""
    answer = need._end.result()
    if isinstance(answer, PickledAnswer):
        # It is not unpickled, which could take long, in the thread that sends.
        return answer.parcel if answer._parcels is parcels else parcels.pack(bytes(answer.pickled()))
    return parcels.pack(pickles.dumps(answer.value()))
