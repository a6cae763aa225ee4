"""How objects of pandas lie in columns, and whether one lies as was said."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cardoon_data import _index, _kinds
from cardoon_data._index import Level

#: The column of a series.
VALUE = "__value__"


class Unlike(Exception):
    """A function made something else than was said: ``what``, and how to say it; nothing if that would not help."""

    def __init__(self, what: str, meta: str) -> None:
        super().__init__(what)
        self.what = what
        self.meta = meta


class _Mixed(TypeError):
    """The column ``name`` has values of several types."""

    def __init__(self, text: str, name: Hashable) -> None:
        super().__init__(text)
        self.name = name


@dataclass(frozen=True)
class Layout:
    """Of a frame with columns ``labels``, or of a series. ``index`` are the names of the levels of its index that are kept;
    without any rows are numbered. ``schema`` has a column for each level and then those of the values."""

    is_frame: bool
    labels: tuple[Hashable, ...]
    index: tuple[Hashable, ...]
    schema: pa.Schema

    @staticmethod
    def of(made: Any, keeps_index: bool) -> Layout:
        """That of an object. An index that does no more than to number rows is kept only if ``keeps_index``."""
        values = _as_pandas(made)
        names = tuple(values.index.names) if keeps_index or not _numbers(values.index) else ()
        labels = tuple(values.columns) if isinstance(values, pd.DataFrame) else (values.name,)
        fields = [pa.field(level.column, _type(array)) for level, array in zip(_levels(names), _index_arrays(values, names))]
        columns = [_array(values.iloc[:, i] if isinstance(values, pd.DataFrame) else values) for i, _ in enumerate(labels)]
        is_frame = isinstance(values, pd.DataFrame)
        fields += [pa.field(name, _type(array)) for name, array in zip(_names(is_frame, labels), columns)]
        return Layout(is_frame, labels, names, pa.schema(fields))

    @property
    def levels(self) -> tuple[Level, ...]:
        return _levels(self.index)

    @property
    def columns(self) -> dict[str, Hashable]:
        """The labels of the columns by their names."""
        return dict(zip(_names(self.is_frame, self.labels), self.labels, strict=True))

    def rows(self, made: Any) -> pa.Table:
        """The rows of an object. Raises :class:`Unlike` if it does not lie so, unless it has no rows."""
        if made is None and self.is_frame:
            raise Unlike("None, where meta says a frame; it may lack a return", "")
        values = _as_pandas(made)
        if len(values) == 0:
            return self.schema.empty_table()
        columns = self._columns(values)
        if self.index and values.index.nlevels != len(self.index):
            found = f"an index of {values.index.nlevels} levels, where there are {len(self.index)} in what was made at first"
            raise Unlike(found, self.meta({}))
        try:
            arrays = _index_arrays(values, self.index) + [_array(column) for column in columns]
        except _Mixed as mixed:
            raise Unlike(f"{self._what(mixed.name)} values of several types: {mixed}", self.meta({})) from None
        return pa.Table.from_arrays(self._fitted(arrays), schema=self.schema)

    def _columns(self, values: pd.DataFrame | pd.Series) -> list[pd.Series]:
        is_frame = isinstance(values, pd.DataFrame)
        if is_frame != self.is_frame:
            found, said = ("a frame" if each else "a series" for each in (is_frame, self.is_frame))
            raise Unlike(f"{found}, where meta says {said}", Layout.of(values, bool(self.index)).meta({}))
        if not isinstance(values, pd.DataFrame):
            return [values]
        if set(values.columns) != set(self.labels) or len(values.columns) != len(self.labels):
            found, said = (", ".join(map(str, labels)) for labels in (values.columns, self.labels))
            raise Unlike(f"the columns {found}, where meta says {said}", Layout.of(values, bool(self.index)).meta({}))
        return [values[label] for label in self.labels]

    def _fitted(self, arrays: list[pa.Array]) -> list[pa.Array]:
        fitted = [_cast(array, field.type) for array, field in zip(arrays, self.schema, strict=True)]
        wrong = {field.name: array.type for array, fit, field in zip(arrays, fitted, self.schema) if fit is None}
        for name, found in wrong.items():
            said = self.schema.field(name).type
            what = self._what(self.columns.get(name, name))
            raise Unlike(f"{what} {_dtype(found)}, where meta says {_dtype(said)}", self.meta(wrong))
        return [fit for fit in fitted if fit is not None]

    def _what(self, label: Hashable) -> str:
        return f"the column {label!r} has" if self.is_frame else "the values have"

    def meta(self, found: Mapping[str, pa.DataType]) -> str:
        """How to say this layout, with columns that were found to have other types."""
        types = {name: _common(self.schema.field(name).type, found.get(name)) for name in self.columns}
        dtypes = {self.columns[name]: _dtype(of) for name, of in types.items()}
        if self.is_frame:
            return "{" + ", ".join(f"{label!r}: {dtype!r}" for label, dtype in dtypes.items()) + "}"
        ((label, dtype),) = dtypes.items()
        return f"({label!r}, {dtype!r})"


def of_meta(meta: Any, index: tuple[Hashable, ...], types: list[pa.DataType]) -> Layout:
    """The layout that a user says: a frame or series of pandas, ``{name: dtype}``, a list of such pairs, or ``(name, dtype)``.
    ``index``: the names of the index that rows have unless it says another one, and its ``types``."""
    if isinstance(meta, tuple) and len(meta) == 2:
        made: Any = pd.Series([], dtype=meta[1], name=meta[0])
    elif isinstance(meta, Mapping | list):
        pairs = meta.items() if isinstance(meta, Mapping) else meta
        made = pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in pairs})
    elif isinstance(meta, pd.DataFrame | pd.Series):
        made = meta.iloc[:0]
        if not _index.is_default(meta.index) and not (len(meta) == 0 and meta.index.name is None):
            return Layout.of(made, True)
    else:
        raise TypeError(f"meta is a frame or series of pandas, a dict of dtypes, or a name and a dtype, not {meta!r:.100}")
    plain = Layout.of(made.reset_index(drop=True), False)
    fields = [pa.field(_index.column(place), of) for place, of in enumerate(types)]
    return Layout(plain.is_frame, plain.labels, index, pa.schema([*fields, *plain.schema]))


def _as_pandas(made: Any) -> pd.DataFrame | pd.Series:
    if isinstance(made, pd.DataFrame | pd.Series):
        return made
    return made.to_series() if isinstance(made, pd.Index) else pd.Series([made])


def _levels(names: tuple[Hashable, ...]) -> tuple[Level, ...]:
    return _index.levels(list(names))


def _names(is_frame: bool, labels: tuple[Hashable, ...]) -> list[str]:
    names = [str(label) for label in labels] if is_frame else [VALUE]
    if len(set(names)) < len(names):
        raise ValueError("two columns of the frame have the same name")
    return names


def _numbers(index: pd.Index) -> bool:
    """Whether an index may be the numbers of rows, or what is left of them."""
    plain = not isinstance(index, pd.MultiIndex) and index.name is None
    return plain and (len(index) == 0 or pd.api.types.is_integer_dtype(index.dtype))


def _index_arrays(values: pd.DataFrame | pd.Series, names: tuple[Hashable, ...]) -> list[pa.Array]:
    return [_array(values.index.get_level_values(place).to_series()) for place, _ in enumerate(names)]


def _array(column: pd.Series) -> pa.Array:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    try:
        made = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise _Mixed(str(error), column.name) from None
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def _type(array: pa.Array) -> pa.DataType:
    """The type of a column in which nothing is there is that of texts, which is what pandas has for it too."""
    return pa.large_string() if pa.types.is_null(array.type) else array.type


def _cast(array: pa.Array, to: pa.DataType) -> pa.Array | None:
    """The same values in another type, if that has room for each of them; else nothing."""
    if array.type == to:
        return array
    kinds = _kinds.of_arrow(array.type), _kinds.of_arrow(to)
    lossless = kinds[0] == kinds[1] != "other" or kinds in _LOSSLESS or pa.types.is_null(array.type)
    if not (lossless or array.null_count == len(array)):
        return None
    try:
        return pa.nulls(len(array), to) if array.null_count == len(array) else array.cast(to)
    except pa.ArrowInvalid:
        return None


#: Where all values have room, or it is seen for each of them whether it has.
_LOSSLESS = {("integer", "float"), ("float", "integer"), ("date", "timestamp")}


def _common(said: pa.DataType, found: pa.DataType | None) -> pa.DataType:
    if found is None:
        return said
    is_number = all(_kinds.is_number(_kinds.of_arrow(each)) for each in (said, found))
    if not is_number:
        return found
    return pa.from_numpy_dtype(np.promote_types(said.to_pandas_dtype(), found.to_pandas_dtype()))


def _dtype(of: pa.DataType) -> str:
    """The dtype by which meta says a type."""
    kind = _kinds.of_arrow(of)
    if _kinds.is_number(kind):
        return str(np.dtype(of.to_pandas_dtype()))
    return "str" if kind == "text" else str(_kinds.to_dtype(kind))
