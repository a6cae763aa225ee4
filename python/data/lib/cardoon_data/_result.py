"""What is computed by the engine and shaped by pandas: nothing more can be asked of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pandas as pd

from cardoon_data import _missing
from cardoon_data._collection import Collection
from cardoon_data._table import Table

T = TypeVar("T")


class Result(_missing.Told, Collection[T]):
    """A small result, such as that of ``frame.sum()`` or ``frame.describe()``. ``compute`` makes it an object of pandas."""

    _said, _nearest, _in_pandas = "a small result", _missing.RESULT, pd.DataFrame

    def __init__(self, table: Table, shape: Callable[[pd.DataFrame], T]) -> None:
        self._table = table
        self._shaping = shape

    def _whole(self) -> Table:
        return self._table

    def _shape(self, frame: pd.DataFrame) -> T:
        return self._shaping(frame)

    def __repr__(self) -> str:
        return "<cardoon_data.Result, to be computed>"
