"""Schedules, as the scheduler reads them."""

from __future__ import annotations

import datetime
import importlib
import inspect
from typing import Any

import pytest

from cardoon.schedules import as_json, crontab, schedule

theirs = importlib.import_module("celery.schedules")


def test_the_fields_of_a_crontab_have_the_order_of_celery() -> None:
    fields = [name for name in inspect.signature(theirs.crontab).parameters if name != "kwargs"]
    assert [name for name in inspect.signature(crontab).parameters if name not in ("nowfun", "app")] == fields
    assert crontab("0", "4", "mon").to_json()["crontab"] == {
        "minute": "0",
        "hour": "4",
        "day_of_month": "*",
        "month_of_year": "*",
        "day_of_week": "mon",
    }


def test_a_line_of_cron_has_the_order_of_cron() -> None:
    line = "*/5 4 1 2 mon"
    ours, other = crontab.from_string(line), theirs.crontab.from_string(line)
    for name in ("minute", "hour", "day_of_month", "month_of_year", "day_of_week"):
        assert getattr(ours, name) == str(getattr(other, f"_orig_{name}"))
    with pytest.raises(ValueError, match="4 fields"):
        crontab.from_string("* * * *")


@pytest.mark.parametrize(("given", "text"), [(5, "5"), ("*/5", "*/5"), ([1, 3], "1,3"), ({30, 0}, "0,30"), (range(2), "0,1")])
def test_a_field_is_a_number_numbers_or_a_text(given: Any, text: str) -> None:
    assert crontab(minute=given).minute == text


@pytest.mark.parametrize("given", [None, True, 1.5, object()])
def test_anything_else_is_no_field(given: Any) -> None:
    with pytest.raises(TypeError, match="minute is"):
        crontab(minute=given)


def test_an_unknown_field_is_told() -> None:
    with pytest.raises(TypeError, match="day"):
        crontab(day="1")  # type: ignore[call-arg]


def test_numbers_and_timedeltas_are_intervals() -> None:
    assert as_json(10) == as_json(datetime.timedelta(seconds=10)) == as_json(schedule(10.0)) == {"every": 10.0}
    for wrong in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="every"):
            schedule(wrong)
    for nothing in (True, "10", None):
        with pytest.raises(TypeError, match="is no schedule"):
            as_json(nothing)


def test_what_celerys_schedules_take_is_taken() -> None:
    app = object()
    assert schedule(5, True, app=app) == schedule(datetime.timedelta(seconds=5), relative=False)
    assert crontab(minute=5, app=app) == crontab(minute="5")
    with pytest.warns(UserWarning, match="nowfun of a schedule has no effect") as told:
        crontab(minute=5, nowfun=datetime.datetime.now)
        schedule(5, nowfun=datetime.datetime.now)
    assert len(told) == 1
