"""Functions of Python as steps of a plan."""

from __future__ import annotations

import io
import os
import pickle
import sys
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from types import CodeType
from typing import TYPE_CHECKING, Any

import cloudpickle
import pyarrow as pa

from cardoon_data import _child, _kinds, _layout, _local, _order, _terms
from cardoon_data._applied import PLACE, ROW, Call, OfGroups, key_column
from cardoon_data._layout import VALUE, Layout
from cardoon_data._missing import NotSupported
from cardoon_data._table import Column, Table
from cardoon_data._terms import Json, Term

if TYPE_CHECKING:
    from cardoon_data._frame import DataFrame
    from cardoon_data._series import Series

#: Rows that a function is called with to learn what it makes, if that is not said.
_SAMPLE = 10
#: The same of functions of groups: several groups show more than one.
_SAMPLE_OF_GROUPS = 100

#: Of Dask's ``map_partitions``.
_WITHOUT_EFFECT = ("enforce_metadata", "transform_divisions", "align_dataframes", "clear_divisions")


def of_chunks(
    table: Table, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any], meta: Any, **series: Any
) -> DataFrame | Series:
    """What a function makes of the rows of a table, some thousands at a time. ``series``: what a call is told of one."""
    options = {name: value for name, value in options.items() if name not in _WITHOUT_EFFECT}
    call = Call(function, *_given(args, options), _source(table), **series)
    return _object(*_chunks(table, call, function, meta))


def of_values(
    table: Table, term: Term, name: Any, way: Callable[..., Any], function: Any, args: tuple[Any, ...], meta: Any
) -> DataFrame | Series:
    """What a function makes of each value of a column. ``way`` calls it for a series of pandas."""
    from cardoon_data._series import Series

    values = table.make({VALUE: term}).without_index(drop=True)
    call = Call(way, (function, *_given(args, {})[0]), {}, _source(values), is_series=True, name=name)
    return _of_rows(table, call, function, meta, [term], values, lambda made: Series(table, made))


def of_rows(
    table: Table, way: Callable[..., Any], function: Any, args: tuple[Any, ...], meta: Any
) -> DataFrame | Series:
    """What a function makes of each row."""
    from cardoon_data._series import Series

    call = Call(way, (function, *_given(args, {})[0]), {}, _source(table))
    terms = [table.term(column) for column in table.columns]
    return _of_rows(table, call, function, meta, terms, table, lambda made: Series(table, made))


def _of_rows(
    table: Table, call: Call, function: Any, meta: Any, terms: list[Term], given: Table, series: Callable[[Term], Series]
) -> DataFrame | Series:
    """A column if the function makes a value of each row, else a frame."""
    layout = _learned(call, given, meta)
    if layout.is_frame:
        return _object(*_chunks(given if call.is_series else table, call, function, None, layout))
    plain = replace(layout, index=(), schema=pa.schema([layout.schema.field(VALUE)]))
    sent = {"function": _sent(call.lying(plain), function), "arguments": [term.expr for term in terms]}
    made = series(Term({"python": sent}, _kinds.of_arrow(plain.schema.field(VALUE).type)))
    made.name = layout.labels[0]
    return made


def of_groups(table: Table, call: OfGroups, function: Any, keys: list[str], meta: Any) -> DataFrame | Series:
    """What a function makes of each group. ``table`` has the columns of the call's source."""
    plan, by = _order.lifted(table.plan)
    order: list[str] = []
    if by:
        place = Term({"window": {"function": "row_number", "order_by": by}}, "integer")
        counted = _terms.binary("subtract", place, _terms.literal(1))
        plan = {"assign": {"input": plan, "columns": [{"name": PLACE, "expr": counted.expr}]}}
        order = [PLACE]
    layout = _learned(call, table if call.keeps_nulls else _with_keys(table, keys), meta, _SAMPLE_OF_GROUPS)
    schema = layout.schema.append(pa.field(ROW, pa.int64()))
    body = {"input": plan, "function": _sent(call.lying(layout), function, schema), "keys": keys, "order": order}
    columns = {**_columns(layout), ROW: Column("integer")}
    made = Table({"python": body}, columns, layout.levels, keeps=table.keeps)
    by_key = [(level.column, False) for level in layout.levels[: len(keys)]]
    return _object(made.sort([*by_key, (ROW, False)]).select(layout.columns), layout)


def _chunks(
    table: Table, call: Call, function: Any, meta: Any, layout: Layout | None = None
) -> tuple[Table, Layout]:
    layout = layout or _learned(call, table, meta)
    plan = _order.kept(table.plan, list(table.columns))
    body = {"input": plan, "function": _sent(call.lying(layout), function), "keys": [], "order": []}
    return Table({"python": body}, _columns(layout), layout.levels, keeps=table.keeps), layout


def _with_keys(table: Table, keys: list[str]) -> Table:
    """The rows whose keys are there."""
    for key in keys:
        table = table.filter(_terms.not_null(table.term(key)))
    return table


def _source(table: Table) -> Table:
    """A table as a call needs to know it: what it is made of stays here."""
    return Table({}, table.columns, table.index)


def _given(args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments as they can travel: numbers that are to be computed are computed."""
    return tuple(map(_computed, args)), {name: _computed(value) for name, value in options.items()}


def _computed(value: Any) -> Any:
    from cardoon_data._collection import Collection
    from cardoon_data._scalar import Scalar

    if isinstance(value, Scalar):
        return value.compute()
    if isinstance(value, Collection):
        raise NotSupported("a function is not given rows of other lazy objects; compute() them, or merge before")
    return value


def _learned(call: Call, table: Table, meta: Any, rows: int = _SAMPLE) -> Layout:
    """What ``meta`` says of the results; else what the function makes of the first rows."""
    levels = {level.column: level.name for level in call.source.index}
    if isinstance(call, OfGroups):
        levels = {key_column(place): name for place, name in enumerate(call.keys)}
    if meta is not None:
        types = [_TYPES[call.source.columns[column].kind] for column in levels]
        return _layout.of_meta(meta, tuple(levels.values()), types)
    first = _local.current().run(table.limit(rows))
    try:
        made = call.made(first, 0)
        if made is None:
            raise TypeError("the function returned None, which does not tell what it makes; it may lack a return")
        return Layout.of(made, keeps_index=bool(levels))
    except Exception as error:
        if sys.version_info >= (3, 11):
            error.add_note(f"It was called with the first {first.num_rows} rows, to learn what it makes; meta= says so too.")
        raise


#: What indexes are made of.
_TYPES = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "text": pa.large_string(),
    "other": pa.large_string(),
}


def _sent(call: Call, function: Any, schema: pa.Schema | None = None) -> Json:
    """A call as the engine takes it."""
    assert call.layout is not None
    path = [folder or os.getcwd() for folder in sys.path]
    pickled = pickle.dumps({"path": path, "call": _pickled(call)})
    return {
        "name": str(getattr(function, "__name__", None) or type(function).__name__),
        "call": b64encode(pickled).decode(),
        "python": _child.version(),
        "columns": b64encode(_stream(schema or call.layout.schema)).decode(),
    }


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Keeps the names of files, so that tracebacks show lines."""

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, CodeType):
            return super().reducer_override(obj)
        make, parts = self.dispatch_table[CodeType](obj)
        return make, tuple(obj.co_filename if part == "<dynamic-code>" else part for part in parts)


def _pickled(call: Call) -> bytes:
    sink = io.BytesIO()
    _Pickler(sink).dump(call)
    return sink.getvalue()


def _stream(schema: pa.Schema) -> bytes:
    sink = io.BytesIO()
    pa.ipc.new_stream(sink, schema).close()
    return sink.getvalue()


def _columns(layout: Layout) -> dict[str, Column]:
    labels = layout.columns
    columns = {}
    for field in layout.schema:
        label = labels.get(field.name)
        columns[field.name] = Column(_kinds.of_arrow(field.type), None if label == field.name else label)
    return columns


def _object(table: Table, layout: Layout) -> DataFrame | Series:
    from cardoon_data._frame import DataFrame
    from cardoon_data._series import Series

    if layout.is_frame:
        return DataFrame(table)
    return Series(table, table.term(VALUE), layout.labels[0])
