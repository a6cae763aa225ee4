"""``series.dt``: parts of times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cardoon_data import _missing, _terms

if TYPE_CHECKING:
    from cardoon_data._series import Series

_UNITS = {"D": "day", "h": "hour", "H": "hour", "min": "minute", "T": "minute", "s": "second", "S": "second"}


class Dates(_missing.Told):
    """Parts of times, by pandas' names. Numbers are int64, where pandas has int32."""

    _said, _nearest, _in_pandas = "dt", _missing.DATES, getattr(pd.Series, "dt")

    def __init__(self, series: Series) -> None:
        if series._term.kind not in ("timestamp", "date", "other"):
            raise AttributeError("Can only use .dt accessor with datetimelike values; to_datetime makes them of texts")
        self._series = series

    @property
    def year(self) -> Series:
        return self._part("year")

    @property
    def month(self) -> Series:
        """January is 1."""
        return self._part("month")

    @property
    def day(self) -> Series:
        """Of the month."""
        return self._part("day")

    @property
    def hour(self) -> Series:
        return self._part("hour")

    @property
    def minute(self) -> Series:
        return self._part("minute")

    @property
    def second(self) -> Series:
        return self._part("second")

    @property
    def dayofweek(self) -> Series:
        """Monday is 0."""
        return self._part("day_of_week")

    day_of_week = weekday = dayofweek

    @property
    def date(self) -> Series:
        """The day, as ``datetime.date``."""
        return self._series._with(_terms.call("to_date", "date", self._series._term))

    def floor(self, freq: str) -> Series:
        """The begin of the day, hour, minute or second: ``freq`` is ``D``, ``h``, ``min`` or ``s``."""
        if freq not in _UNITS:
            _missing.option("dt.floor", "freq", freq, "there are D, h, min and s; sql() has date_bin")
        unit = _terms.literal(_UNITS[freq])
        return self._series._with(_terms.call("truncate", "timestamp", self._series._term, unit))

    def _part(self, function: str) -> Series:
        return self._series._with(_terms.call(function, "integer", self._series._term))
