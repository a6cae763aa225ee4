"""Functions that make one value of many, by pandas' names and with pandas' answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cardoon_data import _order, _terms
from cardoon_data._kinds import Kind, is_number
from cardoon_data._missing import NotSupported
from cardoon_data._table import Table
from cardoon_data._terms import Json, Term

#: A function by name, and what it is applied to: nothing for ``size``.
Wanted = tuple[str, Term | None]

_NAMES = {
    "count": "count",
    "first": "first",
    "last": "last",
    "max": "max",
    "mean": "mean",
    "median": "median",
    "min": "min",
    "nunique": "count_distinct",
    "std": "standard_deviation",
    "sum": "sum",
    "var": "variance",
}

#: Those that need numbers.
OF_NUMBERS = frozenset({"sum", "mean", "std", "var", "median", "quantile"})

_COUNTS = frozenset({"count", "nunique", "size"})


def name(function: str | Callable[..., Any]) -> str:
    """The name of a function that was given by name, or as ``sum``, ``len`` or one of numpy's."""
    text = function if isinstance(function, str) else getattr(function, "__name__", repr(function))
    text = {"len": "size", "amax": "max", "amin": "min"}.get(text, text)
    if text != "size" and text not in _NAMES:
        known = ", ".join(sorted([*_NAMES, "size"]))
        raise NotSupported(f"there is no aggregate {text!r} here; there are {known}, and apply for functions of Python")
    return text


def term(function: str, of: Term | None, quantile: float = 0.5) -> Term:
    """The engine's aggregate."""
    if function == "size" or of is None:
        return Term({"aggregate": "count_rows"}, "integer")
    of = _operand(function, of)
    if function == "quantile":
        return Term({"aggregate": {"quantile": {"operand": of.expr, "quantile": quantile}}}, "float")
    return Term({"aggregate": {_NAMES[function]: of.expr}}, _kind(function, of.kind))


def finished(function: str, value: Term) -> Term:
    """What pandas makes of the aggregate: the sum of nothing is 0."""
    return _terms.or_else(value, _terms.literal(0)) if function == "sum" else value


def aggregated(
    table: Table, keys: Mapping[str, Term], wanted: Mapping[str, Wanted], keep_nulls: bool = False
) -> Table:
    """A table with these aggregates in columns of these names, and a row for each value of the keys."""
    raw = {out: term(function, of) for out, (function, of) in wanted.items()}
    if any(function in ("first", "last") for function, _ in wanted.values()):
        plan, by = _order.lifted(table.plan)
        if by:
            table = replace(table, plan=plan)
            raw = {out: _in_order(of, by) for out, of in raw.items()}
    made = table.aggregate(keys, raw, keep_nulls)
    if all(function != "sum" for function, _ in wanted.values()):
        return made
    done = {out: finished(function, made.term(out)) for out, (function, _) in wanted.items()}
    return made.make({key: made.term(key) for key in keys} | done)


def _in_order(aggregate: Term, by: list[Json]) -> Term:
    """The first or last value in an order, which the engine does not keep from the step before."""
    match aggregate.expr:
        case {"aggregate": {"first": operand}}:
            return Term({"aggregate": {"first_by": {"operand": operand, "order_by": by}}}, aggregate.kind)
        case {"aggregate": {"last": operand}}:
            return Term({"aggregate": {"last_by": {"operand": operand, "order_by": by}}}, aggregate.kind)
    return aggregate


def columns(table: Table, function: str, numeric_only: bool, without: frozenset[str] = frozenset()) -> list[str]:
    """The columns of a frame that a function is applied to. ``TypeError`` if there is one that it cannot be applied to."""
    names = [each for each in table.visible if each not in without]
    if numeric_only:
        return [each for each in names if is_number(table.columns[each].kind) or table.columns[each].kind == "boolean"]
    for each in names:
        if function in OF_NUMBERS and not _has_numbers(table.columns[each].kind):
            raise TypeError(
                f"{function} cannot be applied to the column {each!r} of kind {table.columns[each].kind}; "
                "select columns before, or pass numeric_only=True"
            )
    return names


def _operand(function: str, of: Term) -> Term:
    if function not in OF_NUMBERS:
        return of
    if not _has_numbers(of.kind):
        raise TypeError(f"{function} cannot be applied to values of kind {of.kind}")
    return _terms.cast(of, "integer") if of.kind == "boolean" else of


def _has_numbers(kind: Kind) -> bool:
    return is_number(kind) or kind in ("boolean", "other")


def _kind(function: str, of: Kind) -> Kind:
    if function in _COUNTS:
        return "integer"
    if function in ("mean", "std", "var", "median"):
        return "float"
    return of
