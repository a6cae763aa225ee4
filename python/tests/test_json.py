"""Values as JSON, in kombu's dialect."""

from __future__ import annotations

import datetime
import decimal
import enum
import importlib
import json
import uuid
from typing import Any

import pytest

from cardoon import _core
from cardoon.exceptions import EncodeError

kombu = importlib.import_module("kombu.utils.json")

MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.timezone.utc)

VALUES: list[Any] = [
    None,
    True,
    0,
    -(2**63),
    2**64,
    10**40,
    0.1,
    -0.0,
    1e300,
    "",
    "naïve \U0001f600 \x00 \u2028 \"quoted\"",
    [],
    {},
    [1, [2, [3]]],
    {"a": {"b": None}},
    MOMENT,
    MOMENT.replace(tzinfo=None),
    MOMENT.date(),
    MOMENT.time(),
    decimal.Decimal("1.10"),
    uuid.UUID("12345678123456781234567812345678"),
    b"text",
    b"\xff\x00",
    {"nested": [MOMENT, {"x": decimal.Decimal("1")}]},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
def test_a_value_comes_back_and_kombu_reads_it_and_we_read_kombus(value: Any) -> None:
    written = _core.dumps(value)
    assert same(_core.loads(written), value)
    assert same(kombu.loads(written.decode()), value)
    assert same(_core.loads(kombu.dumps(value).encode()), value)


def same(found: Any, wanted: Any) -> bool:
    return type(found) is type(wanted) and bool(found == wanted)


@pytest.mark.parametrize(
    "value", [{1: "a"}, {None: "a"}, {1.5: "a"}, {True: "a"}, (1, 2)], ids=repr
)
def test_what_json_has_another_form_for_becomes_what_pythons_json_makes_of_it(value: Any) -> None:
    assert _core.loads(_core.dumps(value)) == json.loads(json.dumps(value))


def test_an_enumeration_is_its_value() -> None:
    class Colour(enum.Enum):
        RED = "red"

    assert _core.loads(_core.dumps([Colour.RED])) == ["red"]


def test_an_object_says_itself_what_it_is() -> None:
    class Order:
        def __json__(self) -> dict[str, int]:
            return {"id": 3}

    assert _core.loads(_core.dumps(Order())) == {"id": 3}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {1, 2}, object(), 1j])
def test_what_json_has_no_form_for_is_refused(value: Any) -> None:
    with pytest.raises(EncodeError, match="CD2006"):
        _core.dumps(value)


def test_an_unknown_extension_stays_a_dictionary() -> None:
    text = b'{"__type__":"no-such","__value__":1}'
    assert _core.loads(text) == {"__type__": "no-such", "__value__": 1}
    for kind in ("datetime", "date", "time", "decimal", "uuid"):
        value = {"__type__": kind, "__value__": "!"}
        assert _core.loads(_core.dumps(value)) == value


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b"nul", b"\xff"])
def test_what_is_no_json_is_told(text: bytes) -> None:
    with pytest.raises(ValueError, match="JSON"):
        _core.loads(text)
