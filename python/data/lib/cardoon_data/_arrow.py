"""Rows for those who take Arrow's."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cardoon_data import _local, _missing
from cardoon_data._table import Table

if TYPE_CHECKING:
    import polars as pl


def table(of: Table) -> pa.Table:
    """All rows, with the index as the first columns."""
    whole = of.without_index()
    rows: pa.Table = _local.current().run(whole)
    return rows.select(whole.visible).rename_columns([_name(whole.label(name)) for name in whole.visible])


def polars(of: Table) -> pl.DataFrame:
    """The same as a frame of Polars. Raises :class:`NotSupported` if that is not installed."""
    try:
        import polars as pl
    except ImportError as missing:
        raise _missing.NotSupported("Polars is not installed: pip install polars; to_arrow() does without it") from missing
    frame = pl.from_arrow(table(of))
    assert isinstance(frame, pl.DataFrame)
    return frame


def _name(label: Hashable) -> str:
    """Columns of two levels have both names, with a line between them."""
    return "_".join(map(str, label)) if isinstance(label, tuple) else str(label)
