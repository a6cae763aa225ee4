"""Frames as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from cardoon.exceptions import CardoonError
from helpers.same import assert_same


def test_csv_is_written_and_read_again(ours: Any, theirs: pd.DataFrame, tmp_path: Path) -> None:
    assert ours.to_csv(tmp_path / "out.csv") == [str(tmp_path / "out.csv")]
    assert_same(dd.read_csv(tmp_path / "out.csv", parse_dates=["when"]), theirs)
    assert_same(pd.read_csv(tmp_path / "out.csv", parse_dates=["when"]), theirs)


def test_names_of_parts_are_those_of_dask(ours: Any, tmp_path: Path) -> None:
    assert ours.to_csv(tmp_path / "out-*.csv") == [str(tmp_path / "out-0.csv")]
    assert ours.to_csv(tmp_path / "folder") == [str(tmp_path / "folder" / "0.part")]
    assert ours.to_csv(tmp_path / "plain", single_file=True) == [str(tmp_path / "plain")]
    assert ours.to_json(tmp_path / "new" / "out-*.json") == [str(tmp_path / "new" / "out-0.json")]
    ours.to_parquet(tmp_path / "parquet")
    assert [file.name for file in (tmp_path / "parquet").iterdir()] == ["part.0.parquet"]
    for name in ("out-0.csv", "folder/0.part", "plain", "new/out-0.json"):
        assert (tmp_path / name).stat().st_size > 0


def test_parquet_is_written_and_read_again(ours: Any, theirs: pd.DataFrame, tmp_path: Path) -> None:
    ours.to_parquet(tmp_path / "out.parquet")
    assert_same(dd.read_parquet(tmp_path / "out.parquet"), theirs)
    assert_same(pd.read_parquet(tmp_path / "out.parquet"), theirs)
    ours.to_parquet(tmp_path / "folder")
    assert_same(dd.read_parquet(tmp_path / "folder"), theirs)


def test_json_is_written_and_read_again(ours: Any, theirs: pd.DataFrame, tmp_path: Path) -> None:
    columns = ["user_id", "action", "amount"]
    ours[columns].to_json(tmp_path / "out.jsonl")
    assert_same(pd.read_json(tmp_path / "out.jsonl", lines=True), theirs[columns])
    assert_same(dd.read_json(tmp_path / "out.jsonl"), theirs[columns])


def test_an_index_with_a_name_is_written(ours: Any, theirs: pd.DataFrame, tmp_path: Path) -> None:
    sizes = ours.groupby("user_id").size().rename("n")
    sizes.to_csv(tmp_path / "out.csv")
    assert_same(pd.read_csv(tmp_path / "out.csv"), theirs.groupby("user_id").size().reset_index(name="n"))
    sizes.to_csv(tmp_path / "out.csv", index=False)
    assert list(pd.read_csv(tmp_path / "out.csv").columns) == ["n"]
    with pytest.raises(NotImplementedError, match="number"):
        ours.to_csv(tmp_path / "out.csv", index=True)


def test_a_file_that_cannot_be_written_is_named(ours: Any, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(CardoonError, match="folder"):
        ours.to_csv(tmp_path / "folder.csv")


def test_options_that_cannot_be_heeded_are_refused(ours: Any, tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match="sep"):
        ours.to_csv(tmp_path / "out.csv", sep=";")
    with pytest.raises(NotImplementedError, match="orient"):
        ours.to_json(tmp_path / "out.json", orient="table")
    assert list(tmp_path.iterdir()) == []
