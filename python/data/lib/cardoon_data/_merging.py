"""Two frames to one: ``merge``, ``join``, ``concat``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from cardoon_data import _missing, _stored, _terms
from cardoon_data._frame_steps import labels_of
from cardoon_data._kinds import Kind
from cardoon_data._table import Column, Table

_HOW = {"inner": "inner", "left": "left", "right": "right", "outer": "outer", "leftsemi": "semi", "leftanti": "anti"}

#: on, left_on, right_on, left_index, right_index.
Keys = tuple[Any, Any, Any, bool, bool]


def side(other: Any) -> Table:
    """The table of what a frame is merged with: a frame, a series with a name, or either of pandas."""
    if isinstance(other, pd.DataFrame):
        return _stored.of_frame(other)._table
    if isinstance(other, pd.Series):
        other = _stored.of_series(other)
    if hasattr(other, "to_frame"):
        if other.name is None:
            raise ValueError("Cannot merge a Series without a name")
        other = other.to_frame()
    if not isinstance(getattr(other, "_table", None), Table):
        raise TypeError(f"a {type(other).__name__} cannot be merged; it has to be a DataFrame or a Series with a name")
    table: Table = other._table
    return table


def merged(left: Table, right: Table, how: str, keys: Keys, suffixes: tuple[str, str]) -> Table:
    """The rows of both whose keys are equal."""
    if how not in _HOW:
        _missing.option("merge", "how", how, f"there are {', '.join(_HOW)}")
    left, right, left_on, right_on = _keys(left, right, keys)
    if len(left_on) != len(right_on):
        raise ValueError("len(right_on) must equal len(left_on)")
    body = {
        "left": left.plan,
        "right": right.plan,
        "left_on": left_on,
        "right_on": right_on,
        "how": _HOW[how],
        "suffixes": list(suffixes),
    }
    shared = {a for a, b in zip(left_on, right_on, strict=True) if a == b}
    columns = _columns(left, right, shared, _HOW[how], suffixes)
    index = left.index if left.index and {level.column for level in left.index} <= shared else ()
    made = Table({"join": body}, columns, index, keeps=left.keeps + right.keeps)
    # As in pandas, and so that the rows of a small outer merge are where they are looked for.
    return made.sort([(name, False) for name in left_on if name in columns]) if how == "outer" else made


def _keys(left: Table, right: Table, keys: Keys) -> tuple[Table, Table, list[str], list[str]]:
    """Both tables, and their columns that have to be equal."""
    on, left_on, right_on, left_index, right_index = keys
    if on is not None:
        left_on = right_on = on
    if left_on is None and right_on is None and not left_index and not right_index:
        left_on = right_on = _common(left, right)
    left, of_left = _side(left, left_on, left_index, keep=right_index)
    right, of_right = _side(right, right_on, right_index, keep=left_index)
    if right_index and not left_index:
        right, of_right = _called(right, of_right, of_left), of_left
    elif left_index and not right_index:
        left, of_left = _called(left, of_left, of_right), of_right
    return left, right, of_left, of_right


def _called(table: Table, levels: list[str], names: list[str]) -> Table:
    """An index that meets columns is named as they are, so that a row has the key once."""
    for name in names:
        if name in table.visible:
            raise ValueError(f"both frames have a column {name!r}; rename that of the frame with the index")
    if len(levels) != len(names):
        raise ValueError("len(left_on) must equal the number of levels in the index")
    return table.rename(dict(zip(levels, names, strict=True)))


def _side(table: Table, on: Any, by_index: bool, keep: bool) -> tuple[Table, list[str]]:
    if by_index:
        if not table.index:
            raise _missing.NotSupported("rows of files have no index to merge on; name columns, or use set_index before")
        columns = [level.column for level in table.index]
        # An index that meets columns is a column like them.
        return (table if keep else replace(table, index=())), columns
    if on is None:
        raise ValueError("name the columns of both sides, by on, or by left_on and right_on")
    named = {level.name for level in table.index}
    wanted = labels_of(on)
    table = table.without_index(drop=named.isdisjoint(wanted))
    return table, [table.name(label) for label in wanted]


def _common(left: Table, right: Table) -> list[str]:
    common = [name for name in left.visible if name in right.visible]
    if not common:
        raise ValueError("No common columns to perform merge on; name them by left_on and right_on")
    return common


def _columns(
    left: Table, right: Table, shared: set[str], how: str, suffixes: tuple[str, str]
) -> dict[str, Column]:
    """The columns that the engine's join has, by the same rule."""
    if how in ("semi", "anti"):
        return dict(left.columns)
    columns: dict[str, Column] = {}
    for name, column in left.columns.items():
        twice = name in right.columns and name not in shared
        columns[name + suffixes[0] if twice else name] = Column(column.kind)
    for name, column in right.columns.items():
        if name not in shared:
            made = name + suffixes[1] if name in left.columns else name
            if made in columns:
                raise ValueError(f"both frames have a column {name!r}; pass suffixes that tell them apart")
            columns[made] = Column(column.kind)
    return columns


def concat(tables: Sequence[Table]) -> Table:
    """The rows of all, one after the other. A column that a table lacks is missing in its rows."""
    if not tables:
        raise ValueError("No objects to concatenate")
    names = list(dict.fromkeys(name for table in tables for name in table.visible))
    kinds = {name: _kind(name, tables) for name in names}
    parts = [_widened(table.without_index(drop=True), kinds) for table in tables]
    columns = {name: Column(kind) for name, kind in kinds.items()}
    keeps = tuple(kept for table in tables for kept in table.keeps)
    return Table({"concat": {"inputs": [part.plan for part in parts]}}, columns, keeps=keeps)


def _kind(name: str, tables: Sequence[Table]) -> Kind:
    kinds = [table.columns[name].kind for table in tables if name in table.visible]
    common = kinds[0]
    for kind in kinds[1:]:
        common = _terms.common(common, kind)
        if common == "other" and kind != "other":
            raise TypeError(f"the column {name!r} is of kind {kinds[0]} in one frame and {kind} in another; use astype")
    return common


def _widened(table: Table, kinds: dict[str, Kind]) -> Table:
    terms = {}
    for name, kind in kinds.items():
        here = table.term(name) if name in table.columns else _terms.literal(None)
        terms[name] = here if kind == "other" else _terms.cast(here, kind)
    return table.make(terms)
