"""A table that is still to be made: the engine's plan, and what is known of its columns."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cardoon_data import _errors, _index, _order, _terms
from cardoon_data._index import Level
from cardoon_data._kinds import Kind
from cardoon_data._missing import NotSupported
from cardoon_data._terms import Json, Term


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a table. The same object is the same column in all tables that have it."""

    kind: Kind
    #: What it is called in pandas, if that is not its name in the plan.
    label: Hashable = None


_PLACE = "__place__"

#: Column, descending.
SortKey = tuple[str, bool]


@dataclass(frozen=True, eq=False)
class Table:
    """Never changes: each step makes another one."""

    plan: Json
    columns: Mapping[str, Column]
    index: tuple[Level, ...] = ()
    #: Says whose rows these are. A table that leaves out some of another's has its tokens and one of its own.
    rows: frozenset[object] = field(default_factory=lambda: frozenset([object()]))
    #: What must not go as long as the table is there, such as files.
    keeps: tuple[object, ...] = ()

    @property
    def visible(self) -> list[str]:
        """The names of the columns that are no levels of the index."""
        hidden = {level.column for level in self.index}
        return [name for name in self.columns if name not in hidden]

    def term(self, name: str) -> Term:
        return _terms.column(name, self.columns[name].kind)

    def label(self, name: str) -> Hashable:
        """What a column is called in pandas."""
        label = self.columns[name].label
        return name if label is None else label

    def name(self, label: Hashable) -> str:
        """The column that is called so. Raises :class:`NoSuchColumn`."""
        for name in self.visible:
            if self.label(name) == label:
                return name
        raise _errors.no_such_column(label, [str(self.label(name)) for name in self.visible])

    # Steps that keep the rows.

    def select(self, names: Iterable[str]) -> Table:
        """These columns and the index."""
        kept = [level.column for level in self.index] + list(names)
        columns = {name: self.columns[name] for name in kept}
        return replace(self, plan=_select(self.plan, {name: self.term(name) for name in kept}), columns=columns)

    def make(self, terms: Mapping[str, Term], labels: Mapping[str, Hashable] | None = None) -> Table:
        """These columns, made of those that are there, and the index."""
        levels = {level.column: self.term(level.column) for level in self.index}
        columns = {name: self.columns[name] for name in levels}
        columns |= {name: self._column(name, term, labels or {}) for name, term in terms.items()}
        return replace(self, plan=_select(self.plan, {**levels, **terms}), columns=columns)

    def assign(self, terms: Mapping[str, Term]) -> Table:
        """All columns; those of these names replaced, new ones at the end."""
        if not terms:
            return self
        plan = _assign(self.plan, terms)
        new = {name: Column(term.kind) for name, term in terms.items()}
        return replace(self, plan=plan, columns={**self.columns, **new})

    def rename(self, names: Mapping[str, str]) -> Table:
        """Columns by other names. The columns stay the same, as do those that are not named."""
        terms = {names.get(name, name): self.term(name) for name in self.columns}
        columns = {names.get(name, name): _bare(column, name in names) for name, column in self.columns.items()}
        return replace(self, plan=_select(self.plan, terms), columns=columns)

    def _column(self, name: str, term: Term, labels: Mapping[str, Hashable]) -> Column:
        if term.expr == {"column": name} and name not in labels:
            return self.columns[name]
        return Column(term.kind, labels.get(name))

    # Steps that keep some of the rows, or order them.

    def filter(self, condition: Term) -> Table:
        return self._fewer({"filter": {"input": self.plan, "condition": _terms.condition(condition.expr)}})

    def sort(self, keys: Iterable[SortKey]) -> Table:
        by = [{"by": {"column": name}, "descending": descending} for name, descending in keys]
        return replace(self, plan={"sort": {"input": self.plan, "by": by}})

    def limit(self, rows: int, skip: int = 0) -> Table:
        if rows < 0:
            raise NotSupported(f"all rows but the last ones are not to be had by a negative number: {rows}")
        return self._fewer({"limit": {"input": _order.kept(self.plan, list(self.columns)), "skip": skip, "fetch": rows}})

    def distinct(self, on: Iterable[str] = ()) -> Table:
        """The first row of those that are equal in the columns ``on``, in all columns if there are none."""
        on = list(on)
        plan, by = _order.lifted(self.plan)
        if not by:
            return self._fewer({"distinct": {"input": self.plan, "on": on}})
        partition = [{"column": name} for name in on or self.columns]
        place = {"window": {"function": "row_number", "partition_by": partition, "order_by": by}}
        numbered = {"assign": {"input": plan, "columns": [{"name": _PLACE, "expr": place}]}}
        is_first = _terms.binary("equal", _terms.column(_PLACE, "integer"), _terms.literal(1))
        filtered = {"filter": {"input": numbered, "condition": _terms.condition(is_first.expr)}}
        return self._fewer(_select({"sort": {"input": filtered, "by": by}}, {name: self.term(name) for name in self.columns}))

    def _fewer(self, plan: Json) -> Table:
        return replace(self, plan=plan, rows=self.rows | {object()})

    # Steps that make other rows.

    def aggregate(self, keys: Mapping[str, Term], aggregates: Mapping[str, Term], keep_nulls: bool = False) -> Table:
        """One row for each value of the keys, in no order; without keys one row."""
        body = {"input": self.plan, "keys": _named(keys), "aggregates": _named(aggregates), "keep_nulls": keep_nulls}
        columns = {name: Column(term.kind) for name, term in {**keys, **aggregates}.items()}
        return Table({"aggregate": body}, columns, keeps=self.keeps)

    def with_index(self, names: Mapping[str, Hashable]) -> Table:
        """The table with these columns as its index, by these names in pandas. The former index goes."""
        new = _index.levels(list(names.values()))
        rest = {name: self.term(name) for name in self.visible if name not in names}
        terms = {level.column: self.term(name) for level, name in zip(new, names, strict=True)}
        columns = {level.column: self.columns[name] for level, name in zip(new, names, strict=True)}
        columns |= {name: self.columns[name] for name in rest}
        return replace(self, plan=_select(self.plan, {**terms, **rest}), columns=columns, index=new)

    def without_index(self, drop: bool = False) -> Table:
        """The table with its index as columns, the first ones, or without it."""
        if not self.index:
            return self
        table = replace(self, index=())
        if drop:
            return table.select(self.visible)
        names: dict[str, str] = {}
        for position, level in enumerate(self.index):
            name = _free_name(level, position, len(self.index))
            if name in self.visible:
                raise ValueError(f"cannot insert {name}, already exists")
            names[level.column] = name
        return table.rename(names)


def _bare(column: Column, is_renamed: bool) -> Column:
    return replace(column, label=None) if is_renamed and column.label is not None else column


def _free_name(level: Level, position: int, count: int) -> str:
    if level.name is not None:
        return str(level.name)
    return "index" if count == 1 else f"level_{position}"


def _select(plan: Json, terms: Mapping[str, Term]) -> Json:
    return {"select": {"input": plan, "columns": _named(terms)}}


def _assign(plan: Json, terms: Mapping[str, Term]) -> Json:
    """One step with the one before, if they need not follow each other: in a loop over columns plans would become too deep."""
    read = {name for term in terms.values() for name in _terms.columns_of(term.expr)}
    before = plan["assign"]["columns"] if "assign" in plan else []
    if not before or any(column["name"] in read for column in before):
        return {"assign": {"input": plan, "columns": _named(terms)}}
    kept = [column for column in before if column["name"] not in terms]
    return {"assign": {"input": plan["assign"]["input"], "columns": kept + _named(terms)}}


def _named(terms: Mapping[str, Term]) -> list[dict[str, Any]]:
    return [{"name": name, "expr": term.expr} for name, term in terms.items()]
