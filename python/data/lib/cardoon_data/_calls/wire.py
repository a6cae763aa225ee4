"""What travels between a program and the children that run its calls."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import NamedTuple

from cardoon_data._calls.parcels import Parcel, Parcels
from cardoon_data._calls.seal import Seal
from cardoon_data._calls.tracebacks import Place

#: The name of the task, and of its queue.
TASK = "cardoon.data.call"
QUEUE = "calls"

#: The variables that tell a worker its token, the folder that it shares with the program, and the numbers of the open files that
#: are the program's standard output and error.
TOKEN = "CARDOON_DATA_TOKEN"
FOLDER = "CARDOON_DATA_CALLS"
OUTPUT = "CARDOON_DATA_OUTPUT"


class Message(NamedTuple):
    """A call. Its parts are the contents of parcels."""

    function: bytes | str
    arguments: bytes | str
    #: The results of the futures among the arguments.
    needs: list[bytes | str]
    retries: int


class Outcome(NamedTuple):
    """How a call has ended: the content of a parcel, or an exception, its traceback and the places of that."""

    value: bytes | str | None
    error: bytes | None = None
    traceback: str = ""
    places: Sequence[Place] = ()


class Wire:
    """Writes messages and outcomes, signed, and reads them."""

    def __init__(self, seal: Seal, parcels: Parcels) -> None:
        self._seal = seal
        self._parcels = parcels

    def write_message(self, id: str, message: Message) -> tuple[str, Parcel]:
        """The text that travels, and the parcel that has to be kept until it is read."""
        parcel = self._parcels.pack(pickle.dumps(tuple(message)))
        return self._seal.close_as_text("call", id, pickle.dumps(parcel.content)), parcel

    def write_outcome(self, id: str, outcome: Outcome) -> str:
        """The text that travels."""
        return self._seal.close_as_text("answer", id, pickle.dumps(tuple(outcome)))

    def read_message(self, id: str, text: object) -> Message:
        """A call. Raises :class:`Forged` if it is not signed."""
        content = pickle.loads(self._seal.open_text("call", id, text))
        return Message(*pickle.loads(self._parcels.unpack(content)))

    def read_outcome(self, id: str, text: object) -> Outcome:
        """How a call has ended. Raises :class:`Forged` if it is not signed."""
        return Outcome(*pickle.loads(self._seal.open_text("answer", id, text)))
