"""The options of ``read_csv``, as the engine reads files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cardoon_data import _kinds, _missing, _sizes, _stores
from cardoon_data._kinds import Kind
from cardoon_data._terms import Json

#: What one thread reads at once, at most.
_BLOCK = 1 << 20

#: Options that change nothing of the result.
_WITHOUT_EFFECT = frozenset(
    {"engine", "low_memory", "memory_map", "sample", "sample_rows", "enforce", "lineterminator", "verbose"}
)

_MISSING: Mapping[str, str] = {
    "index_col": "use set_index on the result",
    "nrows": "use head(n) on the result",
    "skiprows": "filter the rows, or cut the files",
    "chunksize": "the frame is lazy already; write with to_parquet, or compute()",
    "iterator": "the frame is lazy already",
    "na_values": "read the column with dtype=str, filter it and use astype",
    "keep_default_na": "empty fields and pandas' words for missing values are missing",
    "converters": "read the column with dtype=str, and use map",
    "date_format": "read the column as text, and use sql(): to_timestamp(column, format)",
    "include_path_column": "read each file on its own, assign its name, and concat",
    "thousands": "read the column with dtype=str, use str.replace and astype",
    "decimal": "read the column with dtype=str, use str.replace and astype",
    "quotechar": 'fields are quoted by "',
    "comment": "use on_bad_lines='skip', or filter",
}


@dataclass(frozen=True)
class Dialect:
    """How the files are written."""

    separator: str | None
    has_header: bool
    skips_bad_rows: bool
    block_bytes: int | None


def check(options: Mapping[str, Any]) -> None:
    """Refuses options that would change the result and cannot be heeded."""
    for name, value in options.items():
        if name in _WITHOUT_EFFECT or (name, value) in (("encoding", "utf-8"), ("compression", "infer")) or value is None:
            continue
        if name in ("encoding", "compression"):
            _missing.option("read_csv", name, value, "files are UTF-8, and their names tell of compression: .gz, .zst")
        if name in _MISSING:
            _missing.option("read_csv", name, value, _MISSING[name])
        raise TypeError(f"read_csv() got an unexpected keyword argument {name!r}")


def scan(
    paths: list[str], how: Dialect, kinds: Mapping[str, Kind], storage_options: Mapping[str, Any] | None
) -> Json:
    """The plan that reads the files."""
    options: Json = {"kinds": dict(kinds), "header": how.has_header}
    if how.separator is not None:
        options["delimiter"] = how.separator
    if how.skips_bad_rows:
        options["bad_rows"] = "skip"
    if how.block_bytes is not None:
        options["block_bytes"] = how.block_bytes
    return _stores.scan({"paths": paths, "format": "csv", "csv": options}, storage_options)


def has_header(header: int | str | None, names: Any) -> bool:
    """Whether the first row has the names of the columns."""
    if header == "infer":
        return names is None
    if header not in (0, None):
        _missing.option("read_csv", "header", header, "the first row is the header, or none: header=None")
    return header == 0


def skips(on_bad_lines: str) -> bool:
    if on_bad_lines not in ("error", "skip"):
        _missing.option("read_csv", "on_bad_lines", on_bad_lines, "use 'skip'; ProgressBar shows how many were left out")
    return on_bad_lines == "skip"


def block_bytes(size: float | str | None) -> int | None:
    """Bytes that one thread reads at once: what was asked for, if that is less than the default."""
    if size is None or size == "default":
        return None
    wanted = _sizes.parse(size)
    if wanted < 1:
        raise ValueError(f"blocksize has to be at least one byte, not {size!r}")
    return wanted if wanted < _BLOCK else None


def names(found: list[str], given: Any) -> dict[str, str]:
    """What the columns of the files are called."""
    if given is None:
        return {name: name for name in found}
    wanted = [str(name) for name in given]
    if len(set(wanted)) < len(wanted):
        raise ValueError("Duplicate names are not allowed.")
    if len(wanted) != len(found):
        raise ValueError(f"the files have {len(found)} columns, and names has {len(wanted)}")
    return dict(zip(found, wanted, strict=True))


def kinds(found: Mapping[str, Kind], dtype: Any, parse_dates: Any, assume_missing: bool) -> dict[str, Kind]:
    """The kinds that columns are read as. Those which hold times stay texts, as in pandas, unless they are named."""
    times = set() if isinstance(parse_dates, bool) or parse_dates is None else {str(name) for name in parse_dates}
    unknown = sorted(times - set(found))
    if unknown:
        raise ValueError(f"Missing column provided to 'parse_dates': '{', '.join(unknown)}'")
    read = {name: _kind(kind, name in times, assume_missing) for name, kind in found.items()}
    if isinstance(dtype, Mapping):
        # Names that are no columns are passed over, as in pandas.
        return read | {name: _kinds.of_dtype(of) for name, of in dtype.items() if name in read}
    return read if dtype is None else dict.fromkeys(read, _kinds.of_dtype(dtype))


def _kind(found: Kind, is_time: bool, assume_missing: bool) -> Kind:
    if is_time:
        return "timestamp" if found in ("date", "timestamp") else found
    if found in ("date", "timestamp"):
        return "text"
    return "float" if assume_missing and found == "integer" else found


def used(columns: list[str], usecols: Any) -> list[str]:
    """The columns that are wanted, in the order of the files. Names, positions, or a function of a name."""
    if usecols is None:
        return columns
    if callable(usecols):
        return [name for name in columns if usecols(name)]
    wanted = list(usecols)
    if wanted and all(isinstance(position, int) for position in wanted):
        return [name for position, name in enumerate(columns) if position in wanted]
    unknown = [name for name in wanted if name not in columns]
    if unknown:
        raise ValueError(f"Usecols do not match columns, columns expected but not found: {unknown}")
    return [name for name in columns if name in wanted]
