"""A column that is still to be computed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardoon_data import _aggregates, _align, _applied, _functions, _kinds, _missing, _pandas, _repr, _stored, _summary
from cardoon_data import _terms, _writing
from cardoon_data._collection import Collection
from cardoon_data._dates import Dates
from cardoon_data._operators import Operators
from cardoon_data._result import Result
from cardoon_data._scalar import Scalar
from cardoon_data._strings import Strings
from cardoon_data._table import Table
from cardoon_data._terms import Term

if TYPE_CHECKING:
    from cardoon_data._frame import DataFrame

_VALUE = "__value__"


class Series(_missing.Told, Collection[pd.Series], Operators["Series"]):
    """A lazy column. Names and meanings are those of ``pandas.Series``; ``compute`` makes it one."""

    _said, _nearest, _in_pandas = "Series", _missing.SERIES, pd.Series

    def __init__(self, table: Table, term: Term, name: Hashable = None) -> None:
        self._table = table
        self._term = term
        self.name = name

    # What it is.

    @property
    def dtype(self) -> Any:
        """The dtype in pandas, if no value is missing."""
        return _kinds.to_dtype(self._term.kind)

    @property
    def size(self) -> Scalar:
        """How many rows there are."""
        return self._reduce("size")

    @property
    def shape(self) -> tuple[Scalar]:
        return (self.size,)

    @property
    def ndim(self) -> int:
        return 1

    @property
    def npartitions(self) -> int:
        """Always 1: what ``map_partitions`` sees."""
        return 1

    @property
    def str(self) -> Strings:
        """Functions of texts."""
        return Strings(self)

    @property
    def dt(self) -> Dates:
        """Parts of times."""
        return Dates(self)

    def __len__(self) -> int:
        return int(self.size.compute())

    def __iter__(self) -> Any:
        return iter(self.compute())

    def __bool__(self) -> bool:
        raise ValueError("The truth value of a Series is ambiguous. Use any() or all(), and & and | in conditions.")

    def __repr__(self) -> _Text:
        return _repr.of_series(self.name, self.dtype)

    def _repr_html_(self) -> _Text:
        return _repr.html([(self.name, self.dtype)], "Series")

    # Other series.

    def __getitem__(self, condition: Series) -> Series:
        if not isinstance(condition, Series):
            raise _missing.NotSupported("a series takes a condition in brackets; compute() first to get at single values")
        if condition._table.rows <= self._table.rows or not self._table.index:
            kept = _align.of_same_rows(self._table, condition._term, condition._table)
            return Series(self._table.filter(kept), self._term, self.name)
        table, term, kept = _align.pair(self._term, self._table, condition._term, condition._table)
        return Series(table.filter(kept), term, self.name)

    def __neg__(self) -> Series:
        return self._with(_terms.negated(self._term))

    def __invert__(self) -> Series:
        return self._with(_terms.inverted(self._term))

    def __abs__(self) -> Series:
        return self.abs()

    def add(self, other: Any) -> Series:
        return self._binary("add", other)

    def sub(self, other: Any) -> Series:
        return self._binary("subtract", other)

    def mul(self, other: Any) -> Series:
        return self._binary("multiply", other)

    def div(self, other: Any) -> Series:
        return self._binary("divide", other)

    truediv = div

    def floordiv(self, other: Any) -> Series:
        return self._binary("floor_divide", other)

    def mod(self, other: Any) -> Series:
        return self._binary("modulo", other)

    def pow(self, other: Any) -> Series:
        return self._binary("power", other)

    def eq(self, other: Any) -> Series:
        return self._binary("equal", other)

    def ne(self, other: Any) -> Series:
        return self._binary("not_equal", other)

    def lt(self, other: Any) -> Series:
        return self._binary("less", other)

    def le(self, other: Any) -> Series:
        return self._binary("less_or_equal", other)

    def gt(self, other: Any) -> Series:
        return self._binary("greater", other)

    def ge(self, other: Any) -> Series:
        return self._binary("greater_or_equal", other)

    def abs(self) -> Series:
        """Without the sign."""
        return self._with(_terms.call("abs", self._term.kind, self._term))

    def round(self, decimals: int = 0) -> Series:
        """To so many digits after the point; a half goes to the even digit."""
        is_whole = self._term.kind == "integer"
        kind: _kinds.Kind = "integer" if is_whole and decimals >= 0 else "float"
        rounded = _terms.call("round", kind, self._term, _terms.literal(decimals))
        return self._with(_terms.cast(rounded, "integer") if is_whole else rounded)

    def clip(self, lower: Any = None, upper: Any = None) -> Series:
        """Values outside of the bounds become the bounds."""
        term = self._term
        for bound, op in ((lower, "less"), (upper, "greater")):
            if bound is not None:
                limit = _terms.literal(bound)
                term = _terms.where(_terms.binary(op, term, limit), limit, term)
        return self._with(term)

    def where(self, cond: Series, other: Any = None) -> Series:
        """The values where ``cond`` holds, and ``other`` elsewhere: a constant, a series of the same rows, or nothing."""
        return self._choose(cond, other)

    def mask(self, cond: Series, other: Any = None) -> Series:
        """The values where ``cond`` does not hold, and ``other`` elsewhere."""
        return self._choose(~cond, other)

    def replace(self, to_replace: Any, value: Any = None) -> Series:
        """With other values: ``{old: new}``, or one for another, or for each of a list."""
        if not isinstance(to_replace, Mapping):
            to_replace = dict.fromkeys(to_replace if isinstance(to_replace, list | tuple) else [to_replace], value)
        term = self._term
        for old, new in to_replace.items():
            term = _terms.where(_terms.is_in(self._term, [old]), _terms.literal(new), term)
        return self._with(term)

    def between(self, left: Any, right: Any, inclusive: _Text = "both") -> Series:
        """Whether values are between the bounds. ``inclusive``: both, neither, left or right."""
        if inclusive not in ("both", "neither", "left", "right"):
            raise ValueError("inclusive has to be either 'both', 'neither', 'left' or 'right'")
        low: Series = self >= left if inclusive in ("both", "left") else self > left
        high: Series = self <= right if inclusive in ("both", "right") else self < right
        return low & high

    def isin(self, values: Iterable[Any]) -> Series:
        """Whether values are among ``values``."""
        if isinstance(values, _Text):
            raise TypeError("only list-like objects are allowed to be passed to isin(), you passed a `str`")
        return self._with(_terms.is_in(self._term, values))

    def isnull(self) -> Series:
        """Whether values are missing."""
        return self._with(_terms.is_null(self._term))

    def notnull(self) -> Series:
        """Whether values are there."""
        return self._with(_terms.not_null(self._term))

    isna = isnull
    notna = notnull

    def fillna(self, value: Any) -> Series:
        """With ``value`` where there is none. Whole numbers stay so, where pandas has floats."""
        return self._with(_terms.or_else(self._term, _terms.literal(value)))

    def dropna(self) -> Series:
        """The values that are there."""
        return Series(self._table.filter(_terms.not_null(self._term)), self._term, self.name)

    def astype(self, dtype: Any) -> Series:
        """As int64, float64, bool, str or datetime64."""
        return self._with(_terms.cast(self._term, _kinds.of_dtype(dtype)))

    def rename(self, name: Hashable) -> Series:
        """By another name."""
        return Series(self._table, self._term, name)

    def sort_values(self, ascending: bool = True) -> Series:
        """Sorted; missing values come last."""
        name, table = self._value_table()
        return Series(table.sort([(name, not ascending)]), table.term(name), self.name)

    def nlargest(self, n: int = 5) -> Series:
        """The greatest values, the greatest first. Of equal ones those come first whose index is less."""
        return self._extreme(n, True)

    def nsmallest(self, n: int = 5) -> Series:
        """The least values, the least first. Of equal ones those come first whose index is less."""
        return self._extreme(n, False)

    def unique(self) -> Series:
        """Each value, as it comes first. An index goes."""
        table = self._bare_table().distinct()
        return Series(table, table.term(_VALUE), self.name)

    def drop_duplicates(self) -> Series:
        """Each value, as it comes first, with its index."""
        name, table = self._value_table()
        table = table.distinct([name])
        return Series(table, table.term(name), self.name)

    def value_counts(self, normalize: bool = False, sort: bool = True, ascending: bool = False, dropna: bool = True) -> Series:
        """How often each value is there, the most frequent first. Of equally frequent ones the least value comes first, where
        pandas goes by which was seen first."""
        counts = _aggregates.aggregated(self._bare_table(), {_VALUE: self._value_term()}, {"count": ("size", None)}, not dropna)
        table = counts.with_index({_VALUE: self.name})
        key = table.index[0].column
        table = table.sort([("count", not ascending), (key, False)] if sort else [(key, False)])
        term = table.term("count")
        if not normalize:
            return Series(table, term, "count")
        total = self.size if not dropna else self.count()
        return Series(table, _terms.binary("divide", term, _terms.literal(int(total))), "proportion")

    def map(self, function: Callable[[Any], Any] | Mapping[Any, Any], na_action: Any = None, meta: Any = None) -> Any:
        """What a function of Python, or a dict, makes of each value. As :meth:`DataFrame.map_partitions` in all else."""
        if meta is None and isinstance(function, Mapping | pd.Series):
            values = pd.Series(function, dtype=None if len(function) else object).reset_index(drop=True)
            meta = _pandas.named(values, self.name)
        return self._made(_applied.mapped, function, (na_action,), meta)

    def apply(self, function: Callable[..., Any], args: tuple[Any, ...] = (), meta: Any = None, **options: Any) -> Any:
        """What a function of Python makes of each value. As :meth:`DataFrame.map_partitions` in all else."""
        return self._made(_applied.each_value, function, (args, options), meta)

    def map_partitions(self, function: Callable[..., Any], *args: Any, meta: Any = None, **options: Any) -> Any:
        """What a function of Python makes of the values, as series of pandas. As :meth:`DataFrame.map_partitions`."""
        return _functions.of_chunks(self._whole(), function, args, options, meta, is_series=True, name=self.name)

    # One value, or a few.

    def sum(self) -> Scalar:
        """The sum; of nothing it is 0."""
        return self._reduce("sum")

    def mean(self) -> Scalar:
        return self._reduce("mean")

    def min(self) -> Scalar:
        return self._reduce("min")

    def max(self) -> Scalar:
        return self._reduce("max")

    def std(self, ddof: int = 1) -> Scalar:
        """The sample's standard deviation."""
        return self._sample("std", ddof)

    def var(self, ddof: int = 1) -> Scalar:
        """The sample's variance."""
        return self._sample("var", ddof)

    def median(self) -> Scalar:
        return self._reduce("median")

    def count(self) -> Scalar:
        """How many values are not missing."""
        return self._reduce("count")

    def nunique(self, dropna: bool = True) -> Scalar:
        """How many different values there are, missing ones aside."""
        if not dropna:
            _missing.option("nunique", "dropna", dropna, "len(unique()) counts the missing value too")
        return self._reduce("nunique")

    def any(self) -> Scalar:
        """Whether one value is true."""
        return self._condition("max", False)

    def all(self) -> Scalar:
        """Whether no value is false."""
        return self._condition("min", True)

    def quantile(self, q: float | Sequence[float] = 0.5) -> Scalar | Result[pd.Series]:
        """The value below which a part ``q`` of all is, interpolated. It is exact: all values are held in memory."""
        if isinstance(q, int | float):
            made = self._table.aggregate({}, {_VALUE: _aggregates.term("quantile", self._term, q)})
            return Scalar(made, made.term(_VALUE))
        column = _summary.quantiles(self._bare_table(), q)
        return Result(column._table, lambda frame: _pandas.named(column._shape(frame)[_VALUE], self.name))

    def describe(self) -> Result[pd.Series]:
        """Count, mean, deviation, least, quartiles and greatest."""
        column = _summary.describe(self._bare_table())
        return Result(column._table, lambda frame: _pandas.named(column._shape(frame)[_VALUE], self.name))

    # Frames, files, objects of pandas.

    def to_frame(self, name: Hashable = None) -> DataFrame:
        """A frame with this column only."""
        from cardoon_data._frame import DataFrame

        label = self.name if name is None else name
        column = label if isinstance(label, _Text) else str(0 if label is None else label)
        labels = {} if isinstance(label, _Text) else {column: 0 if label is None else label}
        return DataFrame(self._table.make({column: self._term}, labels))

    def reset_index(self, drop: bool = False, name: Hashable = None) -> Any:
        """A frame with the index as its first columns; a series without it if ``drop``."""
        if drop:
            value, table = self._value_table()
            table = table.without_index(drop=True)
            return Series(table, table.term(value), self.name)
        return self.to_frame(name).reset_index()

    def head(self, n: int = 5, npartitions: int = 1, compute: bool = True) -> Any:
        """The first values, as a series of pandas."""
        first = Series(self._table.limit(n), self._term, self.name)
        return first.compute() if compute else first

    def tail(self, n: int = 5, compute: bool = True) -> Any:
        """The last values, as a series of pandas. Counts all rows first."""
        last = self.to_frame("__tail__").tail(n, compute=False)["__tail__"].rename(self.name)
        return last.compute() if compute else last

    def pipe(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """``function(self, *args, **options)``"""
        return function(self, *args, **options)

    def persist(self, **options: Any) -> Series:
        """Computes it, and goes on from a temporary file with the result."""
        name, table = self._value_table()
        stored = _stored.of_table(table)
        return Series(stored, stored.term(name), self.name)

    def to_csv(self, filename: Any, **options: Any) -> list[_Text]:
        """As :meth:`DataFrame.to_csv`."""
        return _writing.to_csv(self.to_frame()._table, filename, **options)

    def copy(self, deep: bool = False) -> Series:
        return self

    def repartition(self, *args: Any, **options: Any) -> Series:
        """Itself: the engine divides the work on its own."""
        return self

    # Within the package.

    def _with(self, term: Term) -> Series:
        return Series(self._table, term, self.name)

    def _made(self, way: Callable[..., Any], function: Any, args: tuple[Any, ...], meta: Any) -> Any:
        return _functions.of_values(self._table, self._term, self.name, way, function, args, meta)

    def _binary(self, op: _Text, other: Any, reflected: bool = False) -> Series:
        table, term, name = self._table, self._term, self.name
        if isinstance(other, Series):
            table, term, value = _align.pair(term, table, other._term, other._table)
            name = name if name == other.name else None
        else:
            value = _terms.literal(other.compute() if isinstance(other, Scalar) else other)
        return Series(table, _terms.binary(op, *((value, term) if reflected else (term, value))), name)

    def _choose(self, condition: Series, other: Any) -> Series:
        table, kept, term = _align.pair(condition._term, condition._table, self._term, self._table)
        if isinstance(other, Series):
            value = _align.of_same_rows(table, other._term, other._table)
        else:
            value = _terms.literal(other.compute() if isinstance(other, Scalar) else other)
        return Series(table, _terms.where(kept, term, value), self.name)

    def _reduce(self, function: _Text) -> Scalar:
        made = _aggregates.aggregated(self._table, {}, {_VALUE: (function, self._term)})
        return Scalar(made, made.term(_VALUE))

    def _sample(self, function: _Text, ddof: int) -> Scalar:
        if ddof != 1:
            _missing.option(function, "ddof", ddof, "only the sample's is there, with ddof=1")
        return self._reduce(function)

    def _condition(self, function: _Text, of_nothing: bool) -> Scalar:
        made = _aggregates.aggregated(self._table, {}, {_VALUE: (function, _terms.cast(self._term, "boolean"))})
        return Scalar(made, _terms.or_else(made.term(_VALUE), _terms.literal(of_nothing)))

    def _extreme(self, n: int, descending: bool) -> Series:
        name, table = self._value_table()
        table = table.filter(_terms.not_null(table.term(name)))
        by = [(name, descending)] + [(level.column, False) for level in table.index]
        table = table.sort(by).limit(n)
        return Series(table, table.term(name), self.name)

    def _whole(self) -> Table:
        return self._value_table()[1]

    def _shape(self, frame: pd.DataFrame) -> pd.Series:
        return _pandas.named(frame.iloc[:, 0], self.name)

    def _value_table(self) -> tuple[_Text, Table]:
        """The index and this column alone."""
        return _VALUE, self._table.make({_VALUE: self._term})

    def _bare_table(self) -> Table:
        return self._value_table()[1].without_index(drop=True)

    def _value_term(self) -> Term:
        return _terms.column(_VALUE, self._term.kind)


# The class has a property `str`.
_Text = str
