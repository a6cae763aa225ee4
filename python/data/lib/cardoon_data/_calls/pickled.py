"""Calls and answers as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError
from typing import Any

from cardoon._core import Record
from cardoon._outcome import exception_of
from cardoon.exceptions import WorkerLostError
from cardoon_data._calls import pickles
from cardoon_data._calls.futures import Answer, Future, KilledWorker
from cardoon_data._calls.parcels import Parcel, Parcels
from cardoon_data._calls.runner import Call, Options, settle
from cardoon_data._calls.tracebacks import RemoteTraceback, plain
from cardoon_data._calls.wire import Message, Wire


class PickledAnswer:
    """An answer that is unpickled when somebody asks for it."""

    def __init__(self, parcel: Parcel, parcels: Parcels) -> None:
        self.parcel = parcel
        self._parcels = parcels

    def value(self) -> Any:
        try:
            written = self._parcels.unpack(self.parcel.content)
        except FileNotFoundError:
            raise CancelledError("the value is gone with the cluster that had it") from None
        return pickles.loads(written)


class PickledCall(Call):
    """A call with what it needs as bytes. ``id`` is that of its task: another one each time that it is sent."""

    def __init__(
        self, future: Future, function: Parcel, arguments: Parcel, needs: Sequence[Future], options: Options
    ) -> None:
        super().__init__(future, needs, options)
        self.id = ""
        self._function = function
        self._arguments = arguments
        self._message: Parcel | None = None

    def text(self, id: str, wire: Wire, parcels: Parcels) -> str:
        """What travels, as the task ``id``."""
        self.id = id
        needs = [_parcel(need, parcels).content for need in self.needs]
        message = Message(self._function.content, self._arguments.content, needs, self.options.retries)
        text, self._message = wire.write_message(self.id, message)
        return text

    def end(self, record: Record, wire: Wire, parcels: Parcels) -> None:
        """Ends its future, as the record of its task says."""
        self._message = None
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
        return error


def of_user(error: BaseException) -> Exception:
    """The error. One that wants a process to end does not mean the program."""
    return error if isinstance(error, Exception) else plain(error)


def _outcome(id: str, record: Record, wire: Wire, parcels: Parcels) -> tuple[Answer | None, BaseException | None]:
    outcome = wire.read_outcome(id, record.value())
    if outcome.error is None:
        assert outcome.value is not None
        return PickledAnswer(parcels.taken(outcome.value), parcels), None
    error = of_user(pickles.loads(outcome.error))
    error.__cause__ = RemoteTraceback(outcome.traceback, outcome.places)
    return None, error


def _parcel(need: Future, parcels: Parcels) -> Parcel:
    """The result of a future as it came, or pickled anew if it is another client's."""
    answer = need._end.result()
    if isinstance(answer, PickledAnswer) and answer._parcels is parcels:
        return answer.parcel
    return parcels.pack(pickles.dumps(answer.value()))
