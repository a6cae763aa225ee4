"""The index of pandas, in an engine that has none.

Rows of files are numbered anew whenever they are computed. Where pandas has keys as the index (after ``groupby``,
``set_index``), the table carries them as columns with names of their own, its levels; ``compute`` makes them the index.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Level:
    """A level of the index: the column that holds it, and its name in pandas."""

    column: str
    name: Hashable


def column(position: int) -> str:
    """The name of the column that holds a level."""
    return f"__index_{position}__"


def levels(names: list[Hashable]) -> tuple[Level, ...]:
    return tuple(Level(column(position), name) for position, name in enumerate(names))


def restore(frame: pd.DataFrame, index: tuple[Level, ...]) -> pd.DataFrame:
    """A computed frame with its levels as the index."""
    if not index:
        return frame
    frame = frame.set_index([level.column for level in index])
    names = [level.name for level in index]
    if len(names) == 1:
        frame.index.name = names[0]
    else:
        frame.index.names = names
    return frame


def is_default(index: pd.Index) -> bool:
    """Whether an index does no more than to number the rows."""
    return isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1 and index.name is None
