"""Groups of rows, and what is made of each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pandas as pd

from cardoon_data import _aggregates, _align, _applied, _functions, _index, _missing, _terms
from cardoon_data._aggregates import Wanted
from cardoon_data._frame_steps import labels_of
from cardoon_data._series import Series
from cardoon_data._table import Table
from cardoon_data._terms import Term

#: What rows are grouped by: the name that the index gets, and the term.
Keys = list[tuple[Hashable, Term]]


def keys_of(table: Table, by: Any) -> Keys:
    """The keys that ``by`` names: a column, a series of the frame, or a list of them."""
    if callable(by) and not isinstance(by, Series):
        raise _missing.NotSupported("groupby takes names of columns and series; there is no index to call a function with")
    return [_key(table, each) for each in ([by] if isinstance(by, Series) else labels_of(by))]


def _key(table: Table, by: Any) -> tuple[Hashable, Term]:
    if isinstance(by, Series):
        return by.name, _align.of_same_rows(table, by._term, by._table)
    for level in table.index:
        if level.name == by and by is not None:
            return by, table.term(level.column)
    return by, table.term(table.name(by))


class _GroupBy(_missing.Told):
    """What groups of columns and of one column have in common."""

    _said, _nearest, _in_pandas = "groupby", _missing.GROUPBY, pd.api.typing.DataFrameGroupBy

    def __init__(self, table: Table, keys: Keys, keep_nulls: bool = False) -> None:
        self._table = table
        self._keys = keys
        self._keep_nulls = keep_nulls

    def _aggregated(self, wanted: Mapping[str, Wanted], labels: Mapping[str, Hashable] | None = None) -> Table:
        """A row for each group, sorted by its keys, which are the index."""
        levels = _index.levels([name for name, _ in self._keys])
        keys = {level.column: term for level, (_, term) in zip(levels, self._keys, strict=True)}
        made = _aggregates.aggregated(self._table, keys, wanted, self._keep_nulls)
        indexed = Table(made.plan, made.columns, levels, made.rows, made.keeps)
        if labels:
            indexed = indexed.make({name: indexed.term(name) for name in wanted}, labels)
        return indexed.sort([(level.column, False) for level in levels])

    def _applied(self, function: Callable[..., Any], labels: Any, args: tuple[Any, ...], options: Any, meta: Any) -> Any:
        """What a function makes of the columns ``labels`` of each group."""
        keys = {_applied.key_column(place): term for place, (_, term) in enumerate(self._keys)}
        table = self._table.assign(keys)
        names = tuple(name for name, _ in self._keys)
        source = Table({}, table.columns, table.index)
        call = _applied.OfGroups(
            function,
            args,
            options,
            source,
            keys=names,
            labels=labels,
            keeps_nulls=self._keep_nulls,
            has_meta=meta is not None,
        )
        return _functions.of_groups(table, call, function, list(keys), meta)


class SeriesGroupBy(_GroupBy):
    """Groups of the values of a column: ``frame.groupby("key")["x"]``. Results are series by the keys."""

    def __init__(self, table: Table, keys: Keys, name: str, keep_nulls: bool) -> None:
        super().__init__(table, keys, keep_nulls)
        self._name = name

    def size(self) -> Series:
        """Rows of each group, missing values too."""
        return self._one("size")

    def count(self) -> Series:
        """Values of each group that are not missing."""
        return self._one("count")

    def sum(self) -> Series:
        return self._one("sum")

    def mean(self) -> Series:
        return self._one("mean")

    def min(self) -> Series:
        return self._one("min")

    def max(self) -> Series:
        return self._one("max")

    def std(self) -> Series:
        """The sample's standard deviation."""
        return self._one("std")

    def var(self) -> Series:
        """The sample's variance."""
        return self._one("var")

    def median(self) -> Series:
        return self._one("median")

    def nunique(self) -> Series:
        """Different values of each group, missing ones aside."""
        return self._one("nunique")

    def first(self) -> Series:
        """The first value of each group that is not missing. One thread reads, to keep the order of the files."""
        return self._one("first")

    def last(self) -> Series:
        """The last value of each group that is not missing. One thread reads, to keep the order of the files."""
        return self._one("last")

    def agg(self, functions: Any = None, **named: Any) -> Any:
        """Functions by name: one makes a series; a list, or names for the results, a frame."""
        from cardoon_data._frame import DataFrame

        if functions is not None and not isinstance(functions, list | tuple):
            return self._one(_aggregates.name(functions))
        wanted = {_aggregates.name(function): function for function in functions or ()} | named
        term = self._table.term(self._name)
        return DataFrame(self._aggregated({out: (_aggregates.name(how), term) for out, how in wanted.items()}))

    aggregate = agg

    def apply(self, function: Callable[..., Any], *args: Any, meta: Any = None, **options: Any) -> Any:
        """What a function of Python makes of each group, as a series of pandas. As :meth:`DataFrameGroupBy.apply`."""
        return self._applied(function, self._table.label(self._name), args, options, meta)

    def _one(self, function: str) -> Series:
        table = self._aggregated({self._name: (function, self._table.term(self._name))})
        return Series(table, table.term(self._name), self._table.label(self._name))


class DataFrameGroupBy(_GroupBy):
    """Groups of rows: ``frame.groupby("key")``. Results are frames by the keys, of all other columns."""

    def __init__(self, table: Table, keys: Keys, names: list[str] | None = None, keep_nulls: bool = False) -> None:
        super().__init__(table, keys, keep_nulls)
        self._names = names

    def __getitem__(self, labels: Any) -> Any:
        if isinstance(labels, list | pd.Index):
            names = [self._table.name(label) for label in labels]
            return DataFrameGroupBy(self._table, self._keys, names, self._keep_nulls)
        return SeriesGroupBy(self._table, self._keys, self._table.name(labels), self._keep_nulls)

    def __getattr__(self, name: str) -> Any:
        if name != "_table" and name in self._table.visible:
            return self[name]
        return self._told(name)

    def size(self) -> Series:
        """Rows of each group, as a series without a name."""
        table = self._aggregated({"size": ("size", None)})
        return Series(table, table.term("size"))

    def count(self) -> Any:
        """Values of each group that are not missing."""
        return self._each("count")

    def sum(self, numeric_only: bool = False) -> Any:
        return self._each("sum", numeric_only)

    def mean(self, numeric_only: bool = False) -> Any:
        return self._each("mean", numeric_only)

    def min(self, numeric_only: bool = False) -> Any:
        return self._each("min", numeric_only)

    def max(self, numeric_only: bool = False) -> Any:
        return self._each("max", numeric_only)

    def std(self, numeric_only: bool = False) -> Any:
        """The sample's standard deviation."""
        return self._each("std", numeric_only)

    def var(self, numeric_only: bool = False) -> Any:
        """The sample's variance."""
        return self._each("var", numeric_only)

    def median(self, numeric_only: bool = False) -> Any:
        return self._each("median", numeric_only)

    def nunique(self) -> Any:
        """Different values of each group, missing ones aside."""
        return self._each("nunique")

    def first(self) -> Any:
        """The first values of each group that are not missing. One thread reads, to keep the order of the files."""
        return self._each("first")

    def last(self) -> Any:
        """The last values of each group that are not missing. One thread reads, to keep the order of the files."""
        return self._each("last")

    def agg(self, functions: Any = None, **named: tuple[Any, Any]) -> Any:
        """Functions by name: one for all columns, a dict by columns, or names for the results with a column and a function:
        ``agg(total=("x", "sum"))``. Several functions of a column make columns of two levels."""
        from cardoon_data._frame import DataFrame

        if named:
            wanted = {out: self._wanted(pair[0], pair[1]) for out, pair in named.items()}
            return DataFrame(self._aggregated(wanted))
        if isinstance(functions, Mapping):
            return self._by_columns({self._table.name(label): how for label, how in functions.items()})
        if isinstance(functions, list | tuple):
            return self._by_columns(dict.fromkeys(self._columns("count"), functions))
        return self.size() if _aggregates.name(functions) == "size" else self._each(_aggregates.name(functions))

    aggregate = agg

    def apply(self, function: Callable[..., Any], *args: Any, meta: Any = None, **options: Any) -> Any:
        """What a function of Python makes of each group, as a frame of pandas without the keys, whose rows are in the order of
        the files. A group has to fit into the memory of a process; rows without a key count as one, though they are left
        out. As :meth:`DataFrame.map_partitions` in all else; without ``meta`` the function is called with the groups of the
        first hundred rows. With it the keys alone are the index, unless it has an index itself."""
        labels: list[Any] = [self._table.label(name) for name in self._columns("count")]
        return self._applied(function, labels, args, options, meta)

    def _wanted(self, label: Any, how: Any) -> Wanted:
        return _aggregates.name(how), self._table.term(self._table.name(label))

    def _columns(self, function: str, numeric_only: bool = False) -> list[str]:
        if self._names is not None:
            return self._names
        keys = frozenset(term.expr["column"] for _, term in self._keys if "column" in term.expr)
        return _aggregates.columns(self._table, function, numeric_only, keys)

    def _each(self, function: str, numeric_only: bool = False) -> Any:
        from cardoon_data._frame import DataFrame

        names = self._columns(function, numeric_only)
        return DataFrame(self._aggregated({name: (function, self._table.term(name)) for name in names}))

    def _by_columns(self, functions: Mapping[str, Any]) -> Any:
        """A function for each column, or a list of them; then there are two levels of columns."""
        from cardoon_data._frame import DataFrame

        if not any(isinstance(how, list | tuple) for how in functions.values()):
            return DataFrame(self._aggregated({name: self._wanted(name, how) for name, how in functions.items()}))
        wanted: dict[str, Wanted] = {}
        labels: dict[str, Hashable] = {}
        for name, hows in functions.items():
            for how in hows if isinstance(hows, list | tuple) else [hows]:
                function = _aggregates.name(how)
                wanted[f"{name}_{function}"] = (function, _terms.column(name, self._table.columns[name].kind))
                labels[f"{name}_{function}"] = (self._table.label(name), function)
        return DataFrame(self._aggregated(wanted, labels))
