"""Two series in one expression: they must be of the same rows, or have an index by which rows find each other."""

from __future__ import annotations

from dataclasses import replace

from cardoon_data import _terms
from cardoon_data._table import Table
from cardoon_data._terms import Term

_LEFT, _RIGHT = "__left__", "__right__"


def has(table: Table, term: Term, source: Table) -> bool:
    """Whether a term over ``source`` means the same over ``table``: it reads columns which both have."""
    names = set(_terms.columns_of(term.expr))
    return all(table.columns.get(name) is source.columns[name] for name in names)


def of_same_rows(table: Table, term: Term, source: Table) -> Term:
    """The term of ``source`` for the rows of ``table``, which are those of ``source`` or some of them."""
    if not source.rows <= table.rows:
        raise ValueError(
            "the series is of other rows than the frame; make both from one frame, or merge the frames on a column"
        )
    if not has(table, term, source):
        raise ValueError("a column that the series is made of was replaced in the frame; make the series anew")
    return term


def pair(left: Term, of_left: Table, right: Term, of_right: Table) -> tuple[Table, Term, Term]:
    """A table over which both terms can be taken together."""
    if of_left.rows == of_right.rows:
        for table in (of_left, of_right):
            if has(table, left, of_left) and has(table, right, of_right):
                return table, left, right
    if of_left.index and len(of_left.index) == len(of_right.index):
        return _joined(left, of_left, right, of_right)
    return of_left, left, of_same_rows(of_left, right, of_right)


def _joined(left: Term, of_left: Table, right: Term, of_right: Table) -> tuple[Table, Term, Term]:
    """All rows of both, with those of equal keys side by side."""
    sides = of_left.make({_LEFT: left}), of_right.make({_RIGHT: right})
    on = [level.column for level in of_left.index]
    body = {"left": sides[0].plan, "right": sides[1].plan, "left_on": on, "right_on": on, "how": "outer"}
    columns = {**sides[0].columns, _RIGHT: sides[1].columns[_RIGHT]}
    named = [a if a.name == b.name else replace(a, name=None) for a, b in zip(of_left.index, of_right.index)]
    table = Table({"join": body}, columns, tuple(named), keeps=of_left.keeps + of_right.keeps)
    return table.sort([(name, False) for name in on]), table.term(_LEFT), table.term(_RIGHT)
