"""Functions and values as bytes. Functions of the main program, and those without a name, travel as what they are made of."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Sequence
from typing import Any

import cloudpickle

#: Pickle tells the module of what it only names. The main program is another one in a worker.
_MAIN = b"__main__"


class _Slots(threading.local):
    """What stands for the futures within the value that this thread pickles or unpickles."""

    pickled: dict[int, tuple[int, Any]] | None = None
    values: Sequence[Any] = ()


_slots = _Slots()


def dumps(value: Any) -> bytes:
    """The value as bytes. Raises what pickle raises for what cannot be pickled."""
    if not cloudpickle.list_registry_pickle_by_value():
        try:
            written = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        except Exception:  # noqa: BLE001 - cloudpickle may know how, or has the better error.
            written = _MAIN
        if _MAIN not in written:
            return written
    return bytes(cloudpickle.dumps(value, pickle.HIGHEST_PROTOCOL))


def dumps_with_slots(value: Any) -> tuple[bytes, list[Any]]:
    """The value as bytes, and the futures within, which are only numbered there."""
    found: dict[int, tuple[int, Any]] = {}
    _slots.pickled = found
    try:
        return dumps(value), [future for _, future in found.values()]
    finally:
        _slots.pickled = None


def loads(written: bytes | memoryview, values: Sequence[Any] = ()) -> Any:
    """The value, with ``values`` in place of the futures that it had."""
    _slots.values = values
    try:
        return pickle.loads(written)
    finally:
        _slots.values = ()


def slot_of(future: Any) -> tuple[Any, tuple[int]]:
    """What a future is pickled as."""
    if _slots.pickled is None:
        raise TypeError("a future can be pickled as an argument of a call only; give others its result()")
    # The second attempt of pickling meets those of the first one again.
    place, _ = _slots.pickled.setdefault(id(future), (len(_slots.pickled), future))
    return _filled, (place,)


def _filled(place: int) -> Any:
    return _slots.values[place]
