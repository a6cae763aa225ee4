"""What the methods of frames do with their tables."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import reduce
from typing import Any

from cardoon_data import _kinds, _terms
from cardoon_data._kinds import Kind
from cardoon_data._table import Table


def labels_of(given: Any) -> list[Hashable]:
    """One name, or several in a list."""
    return list(given) if isinstance(given, list | tuple | set | frozenset) or hasattr(given, "tolist") else [given]


def names_of(table: Table, labels: Any) -> list[str]:
    """The columns that are called so."""
    return [table.name(label) for label in labels_of(labels)]


def renamed(table: Table, columns: Mapping[Any, str] | Callable[[Any], str]) -> Table:
    called = {table.label(name): name for name in table.visible}
    if isinstance(columns, Mapping):
        names = {called[old]: str(new) for old, new in columns.items() if old in called}
    else:
        names = {name: str(columns(label)) for label, name in called.items()}
    made = [names.get(name, name) for name in table.visible]
    if len(set(made)) < len(made):
        raise ValueError(f"two columns would have the same name: {', '.join(made)}")
    return table.rename(names)


def dropped(table: Table, labels: Any, errors: str) -> Table:
    known = {table.label(name) for name in table.visible}
    wanted = [label for label in labels_of(labels) if errors == "raise" or label in known]
    gone = {table.name(label) for label in wanted}
    return table.select([name for name in table.visible if name not in gone])


def of_dtypes(table: Table, include: Any, exclude: Any) -> Table:
    kinds = {name: table.columns[name].kind for name in table.visible}
    wanted = _kinds_of(include) if include is not None else set(kinds.values())
    unwanted = _kinds_of(exclude) if exclude is not None else set()
    return table.select([name for name, kind in kinds.items() if kind in wanted - unwanted])


def _kinds_of(dtypes: Any) -> set[Kind]:
    kinds: set[Kind] = set()
    for dtype in labels_of(dtypes):
        kinds |= {"integer", "float"} if dtype in ("number", "numeric") else {_kinds.of_dtype(dtype)}
    return kinds


def filled(table: Table, value: Any) -> Table:
    values = value if isinstance(value, Mapping) else dict.fromkeys(map(table.label, table.visible), value)
    terms = {table.name(label): _terms.literal(each) for label, each in values.items()}
    fitting = {name: term for name, term in terms.items() if _fits(table.columns[name].kind, term.kind)}
    if isinstance(value, Mapping) and len(fitting) < len(terms):
        name = next(name for name in terms if name not in fitting)
        raise TypeError(f"{values[name]!r} does not fit the column {name!r} of kind {table.columns[name].kind}")
    return table.assign({name: _terms.or_else(table.term(name), term) for name, term in fitting.items()})


def _fits(column: Kind, value: Kind) -> bool:
    return column == "other" or _terms.common(column, value) != "other"


def without_missing(table: Table, how: str, subset: Any) -> Table:
    if how not in ("any", "all"):
        raise ValueError(f"invalid how option: {how}")
    names = table.visible if subset is None else names_of(table, subset)
    there = [_terms.not_null(table.term(name)) for name in names]
    op = "and" if how == "any" else "or"
    return table.filter(reduce(lambda left, right: _terms.binary(op, left, right), there)) if there else table


def distinct(table: Table, subset: Any) -> Table:
    if subset is None:
        # With an index rows differ by it, which does not count.
        return table.distinct(table.visible if table.index else ())
    return table.distinct(names_of(table, subset))


def sorted_by(table: Table, by: Any, ascending: bool | Sequence[bool]) -> Table:
    names = [_name_of_any(table, label) for label in labels_of(by)]
    up = [ascending] * len(names) if isinstance(ascending, bool | int) else list(ascending)
    if len(up) != len(names):
        raise ValueError(f"Length of ascending ({len(up)}) != length of by ({len(names)})")
    return table.sort([(name, not upwards) for name, upwards in zip(names, up, strict=True)])


def _name_of_any(table: Table, label: Hashable) -> str:
    """A column, or a level of the index, that is called so."""
    for level in table.index:
        if level.name == label and label is not None:
            return level.column
    return table.name(label)


def extreme(table: Table, n: int, columns: Any, descending: bool) -> Table:
    """The rows with the greatest or least values. Among equal ones the index decides."""
    if columns is None:
        raise TypeError("missing the argument 'columns': by which values go")
    names = names_of(table, columns)
    for name in names:
        if table.columns[name].kind == "text":
            raise TypeError(f"the column {name!r} has texts, of which none is the greatest; use sort_values and head")
    keys = [(name, descending) for name in names] + [(level.column, False) for level in table.index]
    return table.sort(keys).limit(n)


def indexed(table: Table, keys: Any, is_sorted: bool) -> Table:
    labels = labels_of(keys)
    made = table.with_index({table.name(label): label for label in labels})
    return made if is_sorted else made.sort([(level.column, False) for level in made.index])
