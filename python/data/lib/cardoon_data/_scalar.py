"""One value that is still to be computed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cardoon_data import _missing, _terms
from cardoon_data._collection import Collection
from cardoon_data._operators import Operators
from cardoon_data._table import Table
from cardoon_data._terms import Term

_VALUE = "__value__"


class Scalar(_missing.Told, Collection[Any], Operators["Scalar"]):
    """What ``frame.x.sum()`` answers: ``compute`` makes it a number.

    Operators make another scalar. If both sides are scalars, or one is a series, the value of the other one is computed then.
    """

    _said, _nearest, _in_pandas = "Scalar", _missing.SCALAR, pd.Series

    def __init__(self, table: Table, term: Term) -> None:
        self._table = table
        self._term = term

    def _whole(self) -> Table:
        return self._table.make({_VALUE: self._term})

    def _shape(self, frame: pd.DataFrame) -> Any:
        return frame[_VALUE].iloc[0]

    def _binary(self, op: str, other: Any, reflected: bool = False) -> Scalar:
        if isinstance(other, Operators) and not isinstance(other, Scalar):
            # A series makes a series of this value.
            return NotImplemented  # type: ignore[no-any-return]
        value = _terms.literal(other.compute() if isinstance(other, Scalar) else other)
        sides = (value, self._term) if reflected else (self._term, value)
        return Scalar(self._table, _terms.binary(op, *sides))

    def __neg__(self) -> Scalar:
        return Scalar(self._table, _terms.negated(self._term))

    def __float__(self) -> float:
        return float(self.compute())

    def __int__(self) -> int:
        return int(self.compute())

    def __bool__(self) -> bool:
        return bool(self.compute())

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.compute(), digits)

    def __format__(self, spec: str) -> str:
        return format(self.compute(), spec) if spec else repr(self)

    def __repr__(self) -> str:
        return f"<cardoon_data.Scalar of kind {self._term.kind}, to be computed>"
