"""A table that is still to be computed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from cardoon_data import _align, _applied, _arrow, _frame_steps, _functions, _kinds, _merging, _missing, _query, _repr, _sql
from cardoon_data import _stored, _summary, _terms, _writing
from cardoon_data._collection import Collection
from cardoon_data._groupby import DataFrameGroupBy, keys_of
from cardoon_data._result import Result
from cardoon_data._scalar import Scalar
from cardoon_data._series import Series
from cardoon_data._table import Table
from cardoon_data._terms import Term

if TYPE_CHECKING:
    import polars as pl


class DataFrame(_missing.Told, Collection[pd.DataFrame]):
    """A lazy table. Names and meanings are those of ``pandas.DataFrame``; ``compute`` makes it one.

    Rows of files have no index: ``compute`` numbers them. After ``groupby`` and ``set_index`` the keys are the index.
    """

    _said, _nearest, _in_pandas = "DataFrame", _missing.FRAME, pd.DataFrame
    _table: Table

    def __init__(self, table: Table) -> None:
        object.__setattr__(self, "_table", table)

    # What it is.

    @property
    def columns(self) -> pd.Index:
        """The names of the columns."""
        labels: list[Any] = [self._table.label(name) for name in self._table.visible]
        index: pd.Index = pd.Index(labels)
        return index

    @property
    def dtypes(self) -> pd.Series:
        """The dtypes that the columns have in pandas, if no values are missing."""
        kinds = [_kinds.to_dtype(self._table.columns[name].kind) for name in self._table.visible]
        return pd.Series(kinds, index=self.columns, dtype=object)

    @property
    def shape(self) -> tuple[Scalar, int]:
        """Rows, which are to be computed, and columns."""
        return self._rows(), len(self._table.visible)

    @property
    def size(self) -> Scalar:
        """How many values there are, missing ones too."""
        return self._rows() * len(self._table.visible)

    @property
    def ndim(self) -> int:
        return 2

    @property
    def npartitions(self) -> int:
        """Always 1: what ``map_partitions`` sees."""
        return 1

    def __len__(self) -> int:
        return int(self._rows().compute())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.columns)

    def __contains__(self, label: Hashable) -> bool:
        return label in self.columns

    def __bool__(self) -> bool:
        raise ValueError("The truth value of a DataFrame is ambiguous.")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name for name in self._table.visible if name.isidentifier())})

    def __repr__(self) -> str:
        return _repr.of_frame(self._shown(), [level.name for level in self._table.index])

    def _repr_html_(self) -> str:
        return _repr.html(self._shown(), "DataFrame")

    # Columns.

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, Series):
            return DataFrame(self._table.filter(_align.of_same_rows(self._table, key._term, key._table)))
        if isinstance(key, list | pd.Index):
            return DataFrame(self._table.select([self._table.name(label) for label in key]))
        if isinstance(key, slice):
            raise _missing.NotSupported("rows have no number here; use head(n), or a condition in brackets")
        return self._column(key)

    def __getattr__(self, name: str) -> Any:
        if name != "_table" and name in self._table.visible:
            return self._column(name)
        return self._told(name)

    def __setitem__(self, label: str, value: Any) -> None:
        object.__setattr__(self, "_table", self.assign(**{label: value})._table)

    def __delitem__(self, label: str) -> None:
        object.__setattr__(self, "_table", self.drop(columns=label)._table)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "columns":
            names = dict(zip(self._table.visible, [str(label) for label in value], strict=True))
            object.__setattr__(self, "_table", self._table.rename(names))
        elif name in self._table.visible:
            self[name] = value
        else:
            raise AttributeError(f"a column is added by frame[{name!r}] = values", name=name, obj=self)

    def assign(self, **columns: Any) -> DataFrame:
        """With these columns: series of this frame, constants, or functions that are given the frame."""
        frame, terms = self, dict[str, Term]()
        for name, value in columns.items():
            if callable(value) and not isinstance(value, Series):
                frame, terms = DataFrame(frame._table.assign(terms)), {}
                value = value(frame)
            terms[name] = frame._term_of(value)
        return DataFrame(frame._table.assign(terms))

    def rename(self, columns: Mapping[Any, str] | Callable[[Any], str]) -> DataFrame:
        """By other names. Those that are no columns are passed over, as in pandas."""
        return DataFrame(_frame_steps.renamed(self._table, columns))

    def drop(self, labels: Any = None, axis: int | str = 0, columns: Any = None, errors: str = "raise") -> DataFrame:
        """Without these columns."""
        if columns is None and axis in (1, "columns"):
            columns = labels
        if columns is None:
            raise _missing.NotSupported("rows have no number here; filter by a condition")
        return DataFrame(_frame_steps.dropped(self._table, columns, errors))

    def select_dtypes(self, include: Any = None, exclude: Any = None) -> DataFrame:
        """The columns of these dtypes, or of all but these. ``number`` stands for int64 and float64."""
        return DataFrame(_frame_steps.of_dtypes(self._table, include, exclude))

    def astype(self, dtype: Any) -> DataFrame:
        """All columns, or those of a dict, as int64, float64, bool, str or datetime64."""
        wanted = dtype if isinstance(dtype, Mapping) else dict.fromkeys(self.columns, dtype)
        terms = {self._table.name(label): _kinds.of_dtype(of) for label, of in wanted.items()}
        return DataFrame(self._table.assign({name: _terms.cast(self._table.term(name), of) for name, of in terms.items()}))

    def fillna(self, value: Any) -> DataFrame:
        """With ``value``, or that of a dict, where there is none. Whole numbers stay so, where pandas has floats."""
        return DataFrame(_frame_steps.filled(self._table, value))

    def isnull(self) -> DataFrame:
        """Whether values are missing."""
        return self._each(_terms.is_null)

    def notnull(self) -> DataFrame:
        """Whether values are there."""
        return self._each(_terms.not_null)

    isna = isnull
    notna = notnull

    def round(self, decimals: int = 0) -> DataFrame:
        """Floats to so many digits after the point."""
        floats = [name for name in self._table.visible if self._table.columns[name].kind == "float"]
        return self.assign(**{name: self._column(name).round(decimals) for name in floats})

    def abs(self) -> DataFrame:
        """Without signs."""
        return self.assign(**{str(label): self._column(label).abs() for label in self.columns})

    def clip(self, lower: Any = None, upper: Any = None) -> DataFrame:
        """Values outside of the bounds become the bounds."""
        return self.assign(**{str(label): self._column(label).clip(lower, upper) for label in self.columns})

    # Rows.

    def query(self, expr: str, local_dict: Mapping[str, Any] | None = None) -> DataFrame:
        """The rows for which an expression holds: comparisons, ``and``, ``or``, ``not``, ``in`` and arithmetic of columns,
        as in ``"a > 1 and b in ['x', 'y']"``. ``@name`` is a variable of the caller, or of ``local_dict``."""
        names = local_dict if local_dict is not None else _query.variables_of_caller(expr)
        return DataFrame(self._table.filter(_query.condition(expr, self._table, names)))

    def dropna(self, how: str = "any", subset: Any = None, thresh: int | None = None) -> DataFrame:
        """Without rows in which a value is missing, or with ``how="all"`` all are."""
        if thresh is not None:
            _missing.option("dropna", "thresh", thresh, "write a condition with notnull()")
        return DataFrame(_frame_steps.without_missing(self._table, how, subset))

    def drop_duplicates(self, subset: Any = None, keep: str = "first") -> DataFrame:
        """The first of the rows that are equal, in all columns or those of ``subset``."""
        if keep != "first":
            _missing.option("drop_duplicates", "keep", keep, "the first row is kept")
        return DataFrame(_frame_steps.distinct(self._table, subset))

    def sort_values(
        self, by: Any, ascending: bool | Sequence[bool] = True, na_position: str = "last", ignore_index: bool = False
    ) -> DataFrame:
        """Sorted by columns; missing values come last."""
        if na_position != "last":
            _missing.option("sort_values", "na_position", na_position, "missing values come last")
        table = _frame_steps.sorted_by(self._table, by, ascending)
        return DataFrame(table.without_index(drop=True) if ignore_index else table)

    def nlargest(self, n: int = 5, columns: Any = None) -> DataFrame:
        """The rows with the greatest values, the greatest first."""
        return DataFrame(_frame_steps.extreme(self._table, n, columns, True))

    def nsmallest(self, n: int = 5, columns: Any = None) -> DataFrame:
        """The rows with the least values, the least first."""
        return DataFrame(_frame_steps.extreme(self._table, n, columns, False))

    def set_index(self, keys: Any, drop: bool = True, sorted: bool = False, **options: Any) -> DataFrame:
        """With a column, or several, as the index, by which rows are sorted."""
        if not drop:
            _missing.option("set_index", "drop", drop, "assign a copy of the column before")
        return DataFrame(_frame_steps.indexed(self._table, keys, sorted))

    def reset_index(self, drop: bool = False) -> DataFrame:
        """With the index as its first columns, or without it if ``drop``."""
        if not self._table.index and not drop:
            raise _missing.NotSupported("rows have no number here that could become a column; use reset_index(drop=True)")
        return DataFrame(self._table.without_index(drop))

    def head(self, n: int = 5, npartitions: int = 1, compute: bool = True) -> Any:
        """The first rows, as a frame of pandas. No more is read than is needed."""
        first = DataFrame(self._table.limit(n))
        return first.compute() if compute else first

    def tail(self, n: int = 5, compute: bool = True) -> Any:
        """The last rows, as a frame of pandas. Counts all rows first."""
        before = max(len(self) - n, 0)
        last = DataFrame(self._table.limit(n, before))
        return last.compute() if compute else last

    # Several rows to one.

    def groupby(
        self, by: Any, group_keys: bool = True, sort: bool = True, dropna: bool = True, **options: Any
    ) -> DataFrameGroupBy:
        """Groups of rows with equal keys: names of columns, or series of this frame. Results are sorted by the keys."""
        if options.get("as_index", True) is not True:
            _missing.option("groupby", "as_index", options["as_index"], "add .reset_index() to the result")
        return DataFrameGroupBy(self._table, keys_of(self._table, by), keep_nulls=not dropna)

    def agg(self, functions: Mapping[Any, Any] | str) -> Result[pd.Series]:
        """A function of each column, or those of a dict."""
        if not isinstance(functions, Mapping):
            return _summary.of_columns(self._table, functions)
        return _summary.of_dict(self._table, {self._table.name(label): how for label, how in functions.items()})

    def sum(self, numeric_only: bool = False) -> Result[pd.Series]:
        return _summary.of_columns(self._table, "sum", numeric_only)

    def mean(self, numeric_only: bool = False) -> Result[pd.Series]:
        return _summary.of_columns(self._table, "mean", numeric_only)

    def min(self, numeric_only: bool = False) -> Result[pd.Series]:
        return _summary.of_columns(self._table, "min", numeric_only)

    def max(self, numeric_only: bool = False) -> Result[pd.Series]:
        return _summary.of_columns(self._table, "max", numeric_only)

    def std(self, numeric_only: bool = False) -> Result[pd.Series]:
        return _summary.of_columns(self._table, "std", numeric_only)

    def var(self, numeric_only: bool = False) -> Result[pd.Series]:
        return _summary.of_columns(self._table, "var", numeric_only)

    def median(self, numeric_only: bool = False) -> Result[pd.Series]:
        return _summary.of_columns(self._table, "median", numeric_only)

    def count(self, numeric_only: bool = False) -> Result[pd.Series]:
        """How many values of each column are not missing."""
        return _summary.of_columns(self._table, "count", numeric_only)

    def nunique(self) -> Result[pd.Series]:
        """How many different values each column has, missing ones aside."""
        return _summary.of_columns(self._table, "nunique")

    def quantile(self, q: float | Sequence[float] = 0.5, numeric_only: bool = False) -> Any:
        """Interpolated quantiles of the columns of numbers. They are exact: all values are held in memory."""
        return _summary.quantiles(self._table, q)

    def describe(self) -> Result[pd.DataFrame]:
        """Count, mean, deviation, least, quartiles and greatest of the columns of numbers."""
        return _summary.describe(self._table)

    # Several frames to one.

    def merge(
        self,
        right: Any,
        how: str = "inner",
        on: Any = None,
        left_on: Any = None,
        right_on: Any = None,
        left_index: bool = False,
        right_index: bool = False,
        suffixes: tuple[str, str] = ("_x", "_y"),
        **options: Any,
    ) -> DataFrame:
        """Rows of both frames whose keys are equal. ``how``: inner, left, right, outer, and leftsemi and leftanti.

        Rows come in no order, and without an index, where pandas keeps that of the left frame. Missing keys match nothing.
        """
        other = _merging.side(right)
        keys = (on, left_on, right_on, left_index, right_index)
        return DataFrame(_merging.merged(self._table, other, how, keys, suffixes))

    def join(self, other: Any, on: Any = None, how: str = "left", lsuffix: str = "", rsuffix: str = "") -> DataFrame:
        """Rows of both frames: the index of ``other`` is equal to the columns ``on``, or to the index."""
        right = _merging.side(other)
        keys = (None, on, None, on is None, True)
        return DataFrame(_merging.merged(self._table, right, how, keys, (lsuffix, rsuffix)))

    # Functions of Python, SQL.

    def map_partitions(self, function: Callable[..., Any], *args: Any, meta: Any = None, **options: Any) -> Any:
        """What a function of Python makes of the rows, as frames of pandas of some 64 MiB each; frames, series or values.

        It runs in processes of its own, of this machine or of the cluster's executors, when the result is computed. ``meta``
        says what it makes, as in Dask: ``{"name": "int64"}``, ``("name", "float64")``, a frame or series of pandas. Without
        it the function is called with the first ten rows, here and at once. It is never called with no rows.
        """
        return _functions.of_chunks(self._table, function, args, options, meta)

    def apply(
        self,
        function: Callable[..., Any],
        axis: int | str = 0,
        args: tuple[Any, ...] = (),
        meta: Any = None,
        **options: Any,
    ) -> Any:
        """What a function of Python makes of each row, with ``axis=1``: a series, or a frame if it makes series. As
        :meth:`map_partitions` in all else."""
        if axis not in (1, "columns"):
            _missing.option("apply", "axis", axis, "functions of rows only, with axis=1; for columns use agg")
        return _functions.of_rows(self._table, _applied.each_row, function, (args, options), meta)

    def pipe(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """``function(self, *args, **options)``"""
        return function(self, *args, **options)

    def sql(self, query: str) -> DataFrame:
        """A query in SQL, in which this frame is the table ``this``."""
        return DataFrame(_sql.table(query, {"this": self._table}))

    # What becomes of it.

    def persist(self, **options: Any) -> DataFrame:
        """Computes it, and goes on from a temporary file with the result."""
        return DataFrame(_stored.of_table(self._table))

    def copy(self, deep: bool = False) -> DataFrame:
        """Another frame, so that columns can be set in one of them."""
        return DataFrame(self._table)

    def repartition(self, *args: Any, **options: Any) -> DataFrame:
        """Itself: the engine divides the work on its own."""
        return self

    def to_csv(self, filename: Any, single_file: bool = False, index: bool | None = None, **options: Any) -> list[str]:
        """Writes a CSV file and answers its name in a list.

        ``out-*.csv`` is written as ``out-0.csv``; a name that ends in ``.csv`` is that of the file; any other one is that
        of a folder, in which ``0.part`` is written. ``index`` is written if it has a name. Names may be URLs of objects,
        ``s3://bucket/out.csv``; ``storage_options`` are those of :func:`read_csv`.
        """
        return _writing.to_csv(self._table, filename, single_file=single_file, index=index, **options)

    def to_parquet(self, path: Any, write_index: bool | None = None, **options: Any) -> None:
        """Writes a Parquet file: a name that ends in ``.parquet`` is its own, any other that of a folder, in which
        ``part.0.parquet`` is written."""
        _writing.to_parquet(self._table, path, write_index=write_index, **options)

    def to_json(self, filename: Any, orient: str = "records", lines: bool = True, **options: Any) -> list[str]:
        """Writes a file with an object of JSON in each line. Names are as those of :meth:`to_csv`."""
        return _writing.to_json(self._table, filename, orient=orient, lines=lines, **options)

    def to_arrow(self) -> pa.Table:
        """Runs the query and answers with a table of Arrow (``pyarrow.Table``). The index becomes columns, the first ones."""
        return _arrow.table(self._table)

    def to_polars(self) -> pl.DataFrame:
        """Runs the query and answers with a frame of Polars, which has to be installed. The index becomes columns, the first
        ones. Raises :class:`NotSupported` without Polars."""
        return _arrow.polars(self._table)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Runs the query for whoever takes rows by Arrow's capsules: ``polars.DataFrame(frame)``, ``pyarrow.table(frame)``."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    # Within the package.

    def _whole(self) -> Table:
        return self._table

    def _shape(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame

    def _column(self, label: Hashable) -> Series:
        name = self._table.name(label)
        return Series(self._table, self._table.term(name), label)

    def _term_of(self, value: Any) -> Term:
        if isinstance(value, Series):
            return _align.of_same_rows(self._table, value._term, value._table)
        return _terms.literal(value.compute() if isinstance(value, Scalar) else value)

    def _each(self, function: Callable[[Term], Term]) -> DataFrame:
        return DataFrame(self._table.assign({name: function(self._table.term(name)) for name in self._table.visible}))

    def _rows(self) -> Scalar:
        counted = self._table.aggregate({}, {"rows": Term({"aggregate": "count_rows"}, "integer")})
        return Scalar(counted, counted.term("rows"))

    def _shown(self) -> list[tuple[Hashable, Any]]:
        table = self._table
        return [(table.label(name), _kinds.to_dtype(table.columns[name].kind)) for name in table.visible]
