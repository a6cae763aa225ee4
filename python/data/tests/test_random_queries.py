"""Random queries have the rows that SQLite gives."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from helpers.queries import COLUMNS, Queries

SEEDS = range(int(os.environ.get("CARDOON_SOAK_RUNS", "6")))
QUERIES = 40

#: Changes that a wrong engine could make, each of which some query is to tell.
SLIPS = {
    "left join": "join",
    "full join": "left join",
    " not in ": " in ",
    "is not distinct from": "=",
    "count(distinct": "count(",
    "union all": "union",
    "coalesce(": "min(",
}


class Tables:
    """The same rows for both, as files of several kinds for us."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.queries = Queries(seed)
        self._folder = folder
        self._sqlite = sqlite3.connect(":memory:")
        self._add("p", self.queries.rows(9))
        self._add("q", self.queries.rows(12))

    def _add(self, name: str, rows: list[tuple[Any, ...]]) -> None:
        self._sqlite.execute(f"create table {name} (i integer, a integer, b integer, t text, f real)")
        self._sqlite.executemany(f"insert into {name} values (?, ?, ?, ?, ?)", rows)
        frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"a": "Int64", "b": "Int64"})
        frame.to_csv(self._folder / f"{name}.csv", index=False)
        frame.to_parquet(self._folder / f"{name}.parquet", index=False)

    def ours(self, query: str, number: int) -> list[tuple[str, ...]]:
        """Which of the two files is read goes by the query's number."""
        ends = ("csv", "parquet") if number % 2 else ("parquet", "csv")
        files = {name: f"'{self._folder / name}.{end}'" for name, end in zip("pq", ends, strict=True)}
        return _sorted(dd.sql(query.format(**files)).compute().itertuples(index=False))

    def theirs(self, query: str) -> list[tuple[str, ...]]:
        return _sorted(self._sqlite.execute(query.format(p="p", q="q")))


def _sorted(rows: Any) -> list[tuple[str, ...]]:
    return sorted(tuple("null" if pd.isna(value) else f"{float(value):.9g}" for value in row) for row in rows)


@pytest.fixture
def tables(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tables]:
    yield Tables(tmp_path, request.param)


@pytest.mark.parametrize("tables", SEEDS, indirect=True)
def test_rows_are_those_of_sqlite(tables: Tables) -> None:
    for number in range(QUERIES):
        query = tables.queries.query()
        assert tables.ours(query, number) == tables.theirs(query), query


def test_wrong_rows_would_be_seen(tmp_path: Path) -> None:
    unseen = dict(SLIPS)
    for seed in SEEDS:
        (tmp_path / str(seed)).mkdir()
        tables = Tables(tmp_path / str(seed), seed)
        for _ in range(QUERIES):
            query = tables.queries.query()
            for right, wrong in list(unseen.items()):
                with contextlib.suppress(sqlite3.OperationalError):
                    if tables.theirs(query) != tables.theirs(query.replace(right, wrong)):
                        del unseen[right]
    assert not unseen
