"""Terms: what a column is made of, as the engine reads it, and the kind of what comes out.

The expressions are those of the crate ``cardoon-frame``, as JSON.
"""

from __future__ import annotations

import datetime
import math
import numbers
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cardoon_data._kinds import Kind
from cardoon_data._missing import NotSupported

Json = dict[str, Any]

_COMPARISONS = {"equal", "not_equal", "less", "less_or_equal", "greater", "greater_or_equal"}
_EPOCH = datetime.datetime(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class Term:
    """An expression and the kind of its values."""

    expr: Json
    kind: Kind


def column(name: str, kind: Kind) -> Term:
    """The column of this name."""
    return Term({"column": name}, kind)


def literal(value: Any) -> Term:
    """A constant: a missing value, a bool, a number, a text, or a time without a zone."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return Term({"literal": "null"}, "other")
    if isinstance(value, bool | np.bool_):
        return Term({"literal": {"boolean": bool(value)}}, "boolean")
    if isinstance(value, str):
        return Term({"literal": {"text": str(value)}}, "text")
    if isinstance(value, datetime.date | np.datetime64):
        return Term({"literal": {"timestamp": _microseconds(value)}}, "timestamp")
    if isinstance(value, numbers.Integral):
        return _integer(int(value))
    if isinstance(value, numbers.Real):
        return _float(float(value))
    raise TypeError(f"a {type(value).__name__} cannot be a constant of a query: {value!r:.100}")


def constant(value: Any) -> Any:
    """The constant alone, for lists of them."""
    return literal(value).expr["literal"]


def _integer(value: int) -> Term:
    if not -(2**63) <= value < 2**63:
        raise OverflowError(f"{value} does not fit into 64 bits")
    return Term({"literal": {"integer": value}}, "integer")


def _float(value: float) -> Term:
    if math.isinf(value):
        # JSON has no infinity.
        text = literal("inf" if value > 0 else "-inf")
        return Term({"cast": {"operand": text.expr, "kind": "float"}}, "float")
    return Term({"literal": {"float": value}}, "float")


def _microseconds(value: datetime.date | np.datetime64) -> int:
    time = pd.Timestamp(value)
    if time.tzinfo is not None:
        raise NotSupported("a time with a zone is not supported; make it one without by tz_localize(None)")
    return (time.to_pydatetime(warn=False) - _EPOCH) // datetime.timedelta(microseconds=1)


def binary(op: str, left: Term, right: Term) -> Term:
    """An operator of Python between two terms. A comparison with a missing value is false, or true for ``!=``."""
    if op == "add" and "text" in (left.kind, right.kind):
        if left.kind != right.kind:
            raise TypeError(f"a text and a value of kind {left.kind if right.kind == 'text' else right.kind} cannot be added")
        return call("concat", "text", left, right)
    raw = {"binary": {"op": op, "left": left.expr, "right": right.expr}}
    if op in _COMPARISONS:
        return or_else(Term(raw, "boolean"), literal(op == "not_equal"))
    if op in ("and", "or"):
        return Term(raw, "boolean")
    return _arithmetic(op, raw, left.kind, right.kind)


def _arithmetic(op: str, raw: Json, left: Kind, right: Kind) -> Term:
    whole = left in ("integer", "boolean") and right in ("integer", "boolean")
    if op == "divide":
        return Term(raw, "float")
    if "float" in (left, right):
        return Term(raw, "float")
    return Term(raw, "integer" if whole else "other")


def negated(term: Term) -> Term:
    return Term({"unary": {"op": "negate", "operand": term.expr}}, term.kind)


def inverted(term: Term) -> Term:
    """``~`` of a condition."""
    if term.kind != "boolean":
        raise TypeError("~ is there for conditions only")
    return Term({"unary": {"op": "not", "operand": term.expr}}, "boolean")


def is_null(term: Term) -> Term:
    return Term({"unary": {"op": "is_null", "operand": term.expr}}, "boolean")


def not_null(term: Term) -> Term:
    return Term({"unary": {"op": "is_not_null", "operand": term.expr}}, "boolean")


def is_in(term: Term, values: Iterable[Any]) -> Term:
    """Whether a value is one of ``values``."""
    constants = [constant(value) for value in values]
    some = [value for value in constants if value != "null"]
    found = or_else(Term({"is_in": {"operand": term.expr, "values": some}}, "boolean"), literal(False))
    found = found if some else literal(False)
    return binary("or", found, is_null(term)) if len(some) < len(constants) else found


def cast(term: Term, kind: Kind) -> Term:
    """The values as ``kind``, as pandas' ``astype`` makes them."""
    if kind == term.kind:
        return term
    if kind == "text" and term.kind == "boolean":
        return where(term, literal("True"), where(inverted(term), literal("False"), literal(None)))
    return Term({"cast": {"operand": term.expr, "kind": kind}}, kind)


def where(condition: Term, then: Term, otherwise: Term) -> Term:
    parts = {"condition": condition.expr, "then": then.expr, "otherwise": otherwise.expr}
    return Term({"where": parts}, common(then.kind, otherwise.kind))


def or_else(term: Term, value: Term) -> Term:
    """``value`` where the term is missing."""
    return Term(call("coalesce", term.kind, term, value).expr, common(term.kind, value.kind))


def call(function: str, kind: Kind, *arguments: Term) -> Term:
    """A function of the engine, of which ``kind`` comes out."""
    return Term({"call": {"function": function, "arguments": [argument.expr for argument in arguments]}}, kind)


def common(left: Kind, right: Kind) -> Kind:
    """The kind of a column that holds values of both."""
    if left == right or right == "other":
        return left
    if left == "other":
        return right
    if {left, right} == {"integer", "float"}:
        return "float"
    if {left, right} == {"date", "timestamp"}:
        return "timestamp"
    return "other"


def columns_of(expr: Any) -> Iterator[str]:
    """The names of the columns that an expression reads."""
    if isinstance(expr, dict):
        if isinstance(expr.get("column"), str):
            yield expr["column"]
        for key, part in expr.items():
            if key not in ("column", "literal"):
                yield from columns_of(part)
    elif isinstance(expr, list):
        for part in expr:
            yield from columns_of(part)


def condition(expr: Json) -> Json:
    """The same condition for a filter, to which missing and false are one: without what tells them apart, so that the engine
    can leave out parts of Parquet files by it."""
    match expr:
        case {"binary": {"op": "and" | "or" as op, "left": left, "right": right}}:
            return {"binary": {"op": op, "left": condition(left), "right": condition(right)}}
        case {"call": {"function": "coalesce", "arguments": [inner, {"literal": {"boolean": False}}]}}:
            return condition(inner)
    return expr
