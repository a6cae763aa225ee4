"""When periodic tasks are sent."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, Union

from cardoon import _warnings

__all__ = ["Schedule", "crontab", "schedule"]

Field = Union[int, str, "list[int]", "tuple[int, ...]", "set[int]", range]


class schedule:  # noqa: N801 - Celery's name.
    """Every so often. Ticks are multiples of ``run_every`` since 1970, so that all schedulers agree on them. So ``relative``
    has no effect; ``nowfun`` and ``app``, Celery's too, have none either: the time is that of the scheduler."""

    def __init__(
        self,
        run_every: float | datetime.timedelta,
        relative: bool = False,
        nowfun: Callable[[], datetime.datetime] | None = None,
        app: object = None,
    ) -> None:
        _say_no_effect(nowfun)
        seconds = run_every.total_seconds() if isinstance(run_every, datetime.timedelta) else float(run_every)
        if not 0 < seconds < float("inf"):
            raise ValueError(f"a task cannot be sent every {seconds:g} s")
        self.seconds = seconds

    def to_json(self) -> dict[str, Any]:
        return {"every": self.seconds}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, schedule) and self.seconds == other.seconds

    def __hash__(self) -> int:
        return hash(self.seconds)

    def __repr__(self) -> str:
        return f"<schedule: every {self.seconds:g} s>"


class crontab:  # noqa: N801 - Celery's name.
    """At the times that all five fields admit, as in Celery: ``crontab(minute="*/15", hour="8-17", day_of_week="mon-fri")``.

    The order of the fields is Celery's, and not that of cron, which :meth:`from_string` reads. ``nowfun`` and ``app``, which
    are Celery's, have no effect: times are those of the setting ``timezone``.
    """

    def __init__(
        self,
        minute: Field = "*",
        hour: Field = "*",
        day_of_week: Field = "*",
        day_of_month: Field = "*",
        month_of_year: Field = "*",
        *,
        nowfun: Callable[[], datetime.datetime] | None = None,
        app: object = None,
    ) -> None:
        _say_no_effect(nowfun)
        self.minute = _text("minute", minute)
        self.hour = _text("hour", hour)
        self.day_of_month = _text("day_of_month", day_of_month)
        self.month_of_year = _text("month_of_year", month_of_year)
        self.day_of_week = _text("day_of_week", day_of_week)

    @classmethod
    def from_string(cls, text: str) -> crontab:
        """From a line of cron: ``minute hour day_of_month month_of_year day_of_week``."""
        fields = text.split()
        if len(fields) != 5:
            raise ValueError(f"{text!r} has {len(fields)} fields; a crontab has 5: minute hour day month weekday")
        minute, hour, day_of_month, month_of_year, day_of_week = fields
        return cls(minute, hour, day_of_week, day_of_month, month_of_year)

    def to_json(self) -> dict[str, Any]:
        return {"crontab": dict(vars(self))}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, crontab) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return (
            f"<crontab: {self.minute} {self.hour} {self.day_of_month} {self.month_of_year} {self.day_of_week}"
            " (minute hour day month weekday)>"
        )


Schedule = Union[schedule, crontab, datetime.timedelta]


def as_json(value: Any) -> dict[str, Any]:
    """A schedule as the scheduler reads it; numbers and timedeltas are intervals."""
    if isinstance(value, (schedule, crontab)):
        return value.to_json()
    if isinstance(value, (int, float, datetime.timedelta)) and not isinstance(value, bool):
        return schedule(value).to_json()
    raise TypeError(f"{value!r} is no schedule: write seconds, a timedelta, or crontab(…)")


def _say_no_effect(nowfun: object) -> None:
    if nowfun is not None:
        _warnings.once("nowfun", "nowfun of a schedule has no effect here: times are those of the setting timezone")


def _text(name: str, field: Field) -> str:
    if isinstance(field, bool) or not isinstance(field, (int, str, list, tuple, set, frozenset, range)):
        raise TypeError(f"{name} is {field!r}; write a number, numbers, or a text such as '*/15'")
    if isinstance(field, (int, str)):
        return str(field).replace(" ", "")
    return ",".join(str(part) for part in sorted(field))
