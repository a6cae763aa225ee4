"""What lazy objects show of themselves: their columns, since their rows are not known."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from html import escape
from typing import Any

_SHOWN = 60

#: The name of a column and its dtype.
Columns = Sequence[tuple[Hashable, Any]]


def of_frame(columns: Columns, index: Sequence[Hashable]) -> str:
    """A frame as text."""
    rows = [(str(name), str(dtype)) for name, dtype in columns[:_SHOWN]]
    width = max((len(name) for name, _ in rows), default=0)
    lines = ["Cardoon DataFrame, to be computed:"]
    lines += [f"  {name:<{width}}  {dtype}" for name, dtype in rows]
    if len(columns) > _SHOWN:
        lines.append(f"  and {len(columns) - _SHOWN} more columns")
    if index:
        lines.append(f"index: {', '.join(map(str, index))}")
    return "\n".join(lines)


def of_series(name: Hashable, dtype: Any) -> str:
    """A series as text."""
    return f"Cardoon Series, to be computed: {name}, {dtype}"


def html(columns: Columns, what: str) -> str:
    """Either of them for notebooks. Names are text of files, which may say anything."""
    rows = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(str(dtype))}</td></tr>" for name, dtype in columns[:_SHOWN]
    )
    more = f"<p>and {len(columns) - _SHOWN} more columns</p>" if len(columns) > _SHOWN else ""
    return f"<p>Cardoon {escape(what)}, to be computed:</p><table>{rows}</table>{more}"
