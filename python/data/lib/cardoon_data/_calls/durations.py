"""How long to wait, as Dask's users say it."""

from __future__ import annotations

import re
from datetime import timedelta

#: Seconds in each unit.
_UNITS = {
    **dict.fromkeys(("ms", "milliseconds", "millisecond"), 0.001),
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}

_TEXT = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([a-z]*)\s*", re.IGNORECASE)

#: A number of seconds, a text such as ``"5s"`` or ``"2 minutes"``, or none for no end.
Duration = float | str | timedelta | None


def seconds(duration: Duration) -> float | None:
    """The number of seconds. Raises :class:`ValueError` for a text that says none."""
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if not isinstance(duration, str):
        return duration
    found = _TEXT.fullmatch(duration)
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise ValueError(f'a time is a number of seconds or a text such as "5s", "100ms" or "2 minutes", not {duration!r}')
    return float(found[1]) * unit
