"""The example of this repository in Python answers as those in SQL and in Rust."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "logs"

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="clusters are tested where processes are found")

#: Those of the test in Rust, and what that expects of them.
LOGS = {
    "a.csv": "7,login,2026-01-01T00:00:00\n3,login,2026-01-01T00:00:01\n",
    "b.csv": "7,view,2026-01-02T00:00:00\n7,logout,2026-01-02T00:00:09\n",
}
COUNTS = [("7", "3"), ("3", "1")]


def write(folder: Path, logs: dict[str, str]) -> None:
    (folder / "logs").mkdir()
    for name, rows in logs.items():
        (folder / "logs" / name).write_text("user_id,action,timestamp\n" + rows, encoding="utf-8")


def run(folder: Path, *words: str) -> list[str]:
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def in_python(folder: Path) -> list[tuple[str, ...]]:
    address, _, *rows, kind = run(folder, str(EXAMPLE / "logs.py"))
    assert address.startswith("tcp://127.0.0.1:") and kind == "dtype: int64"
    return [tuple(row.split()) for row in rows]


def in_sql(folder: Path) -> list[tuple[str, ...]]:
    query = (EXAMPLE / "logs.sql").read_text(encoding="utf-8")
    header, *rows = run(folder, "-m", "cardoon_data", "sql", query, "-o", "csv")
    assert header == "user_id,actions"
    return [tuple(row.split(",")) for row in rows]


def test_all_count_the_same(tmp_path: Path) -> None:
    write(tmp_path, LOGS)
    assert in_python(tmp_path) == in_sql(tmp_path) == COUNTS


def test_of_equal_counts_the_same_ones_are_shown(tmp_path: Path) -> None:
    users = (9, 2, 8, 3, 5, 6, 1, 4, 7)
    rows = "".join(f"{user},view,2026-01-01T00:00:00\n" * (2 if user % 3 else 4) for user in users)
    write(tmp_path, {"a.csv": rows})
    found = in_python(tmp_path)
    assert found == in_sql(tmp_path)
    assert found == [("3", "4"), ("6", "4"), ("9", "4"), ("1", "2"), ("2", "2")]
