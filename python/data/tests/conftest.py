"""Fixtures: the same small files for pandas and for us."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd

#: Users in no order, a text and a number that are missing at times, times as text, equal rows.
LOGS = (
    """user_id,action,seconds,amount,when
3,login,1.5,10,2026-01-31 23:59:58
1,buy,,20,2026-02-01 00:00:01
2,login,2.5,-7,2026-02-28 12:30:00
3,,0.5,10,2026-01-31 23:59:58
1,login,1.25,0,2026-03-01 06:07:08
""",
    """user_id,action,seconds,amount,when
10,Buy now,100.0,1,2026-12-31 00:00:00
3,login,1.5,10,2026-01-31 23:59:58
2,logout,-2.5,5,2026-06-15 08:00:30
""",
)

USERS = """user_id,city,amount
1,Graz,1
2,"Wien, AT",2
3,,3
4,Linz,4
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``logs/0.csv``, ``logs/1.csv`` and ``users.csv``."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "logs").mkdir()
    for number, text in enumerate(LOGS):
        (folder / "logs" / f"{number}.csv").write_text(text, encoding="utf-8")
    (folder / "users.csv").write_text(USERS, encoding="utf-8")
    return folder


@pytest.fixture
def ours(folder: Path) -> Any:
    """The logs, lazy."""
    return dd.read_csv(folder / "logs" / "*.csv", parse_dates=["when"])


@pytest.fixture
def theirs(folder: Path) -> pd.DataFrame:
    """The logs in pandas."""
    parts = [pd.read_csv(folder / "logs" / f"{number}.csv", parse_dates=["when"]) for number in (0, 1)]
    return pd.concat(parts, ignore_index=True)
