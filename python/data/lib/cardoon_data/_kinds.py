"""What columns hold: the kinds of the engine, and their dtypes in pandas and types in Arrow."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from cardoon_data._missing import NotSupported

#: ``other`` is what the engine passes through and knows nothing of.
Kind = Literal["boolean", "integer", "float", "date", "timestamp", "text", "other"]

_OF_NAME: dict[str, Kind] = {
    "bool": "boolean",
    "boolean": "boolean",
    "int": "integer",
    "int64": "integer",
    "float": "float",
    "float64": "float",
    "str": "text",
    "string": "text",
    "object": "text",
    "datetime64": "timestamp",
    "datetime64[us]": "timestamp",
    "datetime64[ns]": "timestamp",
}


def of_dtype(dtype: Any) -> Kind:
    """The kind that a dtype of pandas asks for. There are whole numbers and floats of 64 bits only."""
    name = _name(dtype)
    if name not in _OF_NAME:
        raise NotSupported(f"the dtype {name!r} is not supported; there are int64, float64, bool, str and datetime64[us]")
    return _OF_NAME[name]


def _name(dtype: Any) -> str:
    if isinstance(dtype, str):
        return dtype
    if isinstance(dtype, pd.StringDtype):
        return "str"
    if isinstance(dtype, type) and not issubclass(dtype, np.generic):
        return dtype.__name__
    if isinstance(dtype, type):
        return np.dtype(dtype).name
    return str(dtype)


def of_arrow(of: pa.DataType) -> Kind:
    """The kind of an Arrow type."""
    types = pa.types
    if types.is_boolean(of):
        return "boolean"
    if types.is_integer(of):
        return "integer"
    if types.is_floating(of):
        return "float"
    if types.is_date(of):
        return "date"
    if types.is_timestamp(of):
        return "timestamp"
    if types.is_string(of) or types.is_large_string(of) or types.is_string_view(of):
        return "text"
    return "other"


def to_dtype(kind: Kind) -> Any:
    """The dtype that a column of this kind has in pandas if it has no missing values."""
    names = {"boolean": "bool", "integer": "int64", "float": "float64", "timestamp": "datetime64[us]"}
    if kind == "text":
        return pd.Series(["text"]).dtype
    return np.dtype(names.get(kind, "object"))


def is_number(kind: Kind) -> bool:
    return kind in ("integer", "float")
