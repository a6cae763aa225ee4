"""Random queries that SQLite understands too."""

from __future__ import annotations

import random

#: Columns of the tables: a number of the row, numbers that are missing at times, a text that is, a fraction that is.
COLUMNS = ("i", "a", "b", "t", "f")

_NUMBERS = ("i", "a", "b")
_AGGREGATES = (
    "count(*)",
    "count({any})",
    "sum({number})",
    "min({number})",
    "max({number})",
    "avg({number})",
    "count(distinct {any})",
    "sum(distinct {number})",
)


class Queries:
    """Queries over tables that stand as ``{p}`` and ``{q}``, each of three numbers in a row. The same seed makes the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def rows(self, count: int) -> list[tuple[int | float | str | None, ...]]:
        """Rows for a table, with few values, so that many are equal."""
        numbers, texts, fractions = (None, 1, 2, 3, 4, 5), (None, "u", "v", "w"), (None, 0.5, 1.5, 2.25)
        pick = self._random.choice
        return [(i, pick(numbers), pick(numbers), pick(texts), pick(fractions)) for i in range(count)]

    def query(self) -> str:
        one = self._select()
        if self._random.random() < 0.25:
            how = self._random.choice(("union all", "union", "intersect", "except"))
            return f"select x, y from ({one}) {how} select x, y from ({self._select()})"
        return one

    def _select(self) -> str:
        tables, names = self._tables()
        where = self._where(names)
        kind = self._random.random()
        if kind < 0.4:
            keys = sorted({self._column(names), self._column(names)})
            having = " having count(*) > 1" if self._random.random() < 0.3 else ""
            values = ", ".join(f"{self._aggregate(names)} as {name}" for name in "xyz")
            return f"select {values} from {tables}{where} group by {', '.join(keys)}{having}"
        if kind < 0.55:
            table = self._table()
            value = self._random.choice(("row_number()", "sum(o.a)", "count(o.b)", "lag(o.b)"))
            over = f"over (partition by o.{self._random.choice('abt')} order by o.i)"
            return f"select o.i as x, {value} {over} as y, o.a as z from {table} o{self._where(['o'])}"
        distinct = "distinct " if self._random.random() < 0.3 else ""
        columns = ", ".join(f"{self._value(names)} as {name}" for name in "xyz")
        return f"select {distinct}{columns} from {tables}{where}"

    def _value(self, names: list[str]) -> str:
        """A number of a row, or which of three answers a condition has."""
        if self._random.random() < 0.8:
            return self._number(names)
        condition = self._condition(self._random.choice(names), 0)
        return f"case when {condition} then 1 when not ({condition}) then 2 else 3 end"

    def _tables(self) -> tuple[str, list[str]]:
        tables, names = f"{self._table()} o", ["o"]
        for name in "rs"[: self._random.choice((0, 1, 1, 2))]:
            how = self._random.choice(("join", "left join", "right join", "full join"))
            tables += f" {how} {self._table()} {name} on {self._pairs(self._random.choice(names), name)}"
            names.append(name)
        return tables, names

    def _pairs(self, left: str, right: str) -> str:
        """What two rows of a join must have in common."""
        column = self._random.choice("abit")
        pairs = f"{left}.{column} {self._random.choice(('=', '=', 'is not distinct from'))} {right}.{column}"
        if self._random.random() < 0.4:
            more = ("{l}.i > {r}.i", "{l}.a <> {r}.b", "{r}.f > 1", "{l}.t is not null", "{l}.b + 1 = {r}.a")
            pairs += " and " + self._random.choice(more).format(l=left, r=right)
        return pairs

    def _where(self, names: list[str]) -> str:
        if self._random.random() < 0.3:
            return ""
        return f" where {self._condition(self._random.choice(names), self._random.randrange(3))}"

    def _condition(self, name: str, depth: int) -> str:
        if depth == 0:
            return self._plain(name)
        one, other = self._condition(name, depth - 1), self._condition(name, depth - 1)
        how = self._random.choice(("({one} or {other})", "({one} and {other})", "not ({one})", "({one}) is null"))
        return how.format(one=one, other=other)

    def _plain(self, name: str) -> str:
        rows = self._rows(name)
        choices = (
            f"{name}.a > 1",
            f"{name}.b in (1, 3, null)",
            f"{name}.t <> 'u'",
            f"{name}.f between 0.5 and 2",
            f"{name}.{self._random.choice('ab')} in {rows}",
            f"{name}.{self._random.choice('ab')} not in {rows}",
            f"{self._random.choice(('', 'not '))}exists {rows}",
            f"coalesce({name}.a not in {rows}, {name}.b > 2)",
            f"case when {name}.a in {rows} then {name}.i > 3 else {name}.i < 6 end",
        )
        return self._random.choice(choices)

    def _rows(self, outer: str) -> str:
        """A subquery of one column."""
        what, group = self._random.choice((("w.a", ""), ("w.b", ""), ("max(w.a)", ""), ("min(w.b)", " group by w.t")))
        of = ("w.a is not null", "w.i > 2", f"w.t = {outer}.t", f"w.b = {outer}.a", f"w.i = {outer}.i + 1", "w.i > 99")
        where = f" where {self._random.choice(of)}" if self._random.random() < 0.7 else ""
        return f"(select {what} from {self._table()} w{where}{group})"

    def _aggregate(self, names: list[str]) -> str:
        return self._random.choice(_AGGREGATES).format(any=self._column(names), number=self._number(names))

    def _table(self) -> str:
        return self._random.choice(("{p}", "{q}"))

    def _column(self, names: list[str]) -> str:
        return f"{self._random.choice(names)}.{self._random.choice(COLUMNS)}"

    def _number(self, names: list[str]) -> str:
        return f"{self._random.choice(names)}.{self._random.choice(_NUMBERS)}"
