"""How far queries are, on terminals."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import cardoon.dataframe as dd
from cardoon_data._progress import Stage, State, last_line, line
from helpers.processes import wait_until

ROWS = 300_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes some looks to read."""
    path = tmp_path_factory.mktemp("many") / "many.csv"
    path.write_text("k,n\n" + "".join(f"{row % 100},{row}\n" for row in range(ROWS)), encoding="utf-8")
    return path


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_shows_stages_while_a_query_runs(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = Terminal()

    def is_shown() -> bool:
        with dd.ProgressBar(dt=0.001, out=out):
            dd.read_csv(many).groupby("k").n.sum().compute()
        return " s left" in out.getvalue() and any("read " in look and "  group " in look for look in looks())

    def looks() -> list[str]:
        return [look for look in out.getvalue().split("\r") if look]

    # The query may be over before the thread that draws has seen it half done.
    wait_until(is_shown)
    last = looks()[-1]
    size = many.stat().st_size
    assert f"] 100%  {size / 1e6:.1f} MB  {ROWS:,} rows  0 B spilled  0 retries  " in last
    assert last.endswith(" s\x1b[K\n")


def test_a_line_says_what_is_known() -> None:
    read, group = Stage("read", 1500, 3, 4), Stage("group", 20, 0, 0)
    state = State(1500, 250, 1000, 2, 0, 0, 1, [read, group])
    assert line(state, 2) == (
        "[#####               ]  25%  250 B  1,500 rows  2 left out  6 s left  read 1,500 (3/4 tasks)  group 20"
    )
    assert last_line(state._replace(spilled_bytes=5000), 2).endswith("  5.0 kB spilled  1 retries  2.0 s")
    assert line(state._replace(all_bytes=None, bad_rows=0, stages=[]), 2) == "250 B  1,500 rows"


def test_queries_of_several_threads_have_bars_of_their_own(many: Path, folder: Path) -> None:
    frames = [dd.read_csv(many), dd.read_csv(folder / "users.csv")]

    def count(frame: Any, rows: int) -> None:
        for _ in range(5):
            assert len(frame) == rows

    out = Terminal()
    # The same engine runs both.
    with dd.ProgressBar(out=out):
        threads = [threading.Thread(target=count, args=pair) for pair in zip(frames, (ROWS, 4), strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    ended = [look for look in out.getvalue().split("\r") if look.endswith("\n")]
    assert sum(f" {ROWS:,} rows  " in look for look in ended) == 5, ended
    assert sum(" 4 rows  " in look for look in ended) == 5, ended


def on_terminal(*command: str) -> tuple[str, str]:
    """What a command writes to standard output, and to a standard error that is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "LC_ALL": "C"}
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                words = os.read(ours, 65536)
            except OSError:
                # The terminal is closed at its other end.
                break
            if not words:
                break
            said += words
        os.close(ours)
        assert process.stdout is not None
        answer = process.stdout.read().decode()
        assert process.wait(60) == 0
    return answer, said.decode()


QUERY = "select k, count(*) as n from '{}' where encode(sha256(repeat(cast(n as varchar), 20)), 'hex') > '0' group by k"


def test_the_command_draws_stages_on_a_terminal_and_nothing_elsewhere(many: Path) -> None:
    command = [sys.executable, "-m", "cardoon_data", "sql", QUERY.format(many), "-o", "csv"]
    answer, said = on_terminal(*command)
    assert answer.startswith("k,n\n") and len(answer.splitlines()) == 101
    for part in ("group 0 rows", "read ", " left", f" {ROWS} rows and ", " spilled, 0 restarts, 0 retries"):
        assert part in said, (part, said[-2000:])
    quiet = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C"})
    assert quiet.stdout.splitlines()[0] == "k,n"
    (only,) = quiet.stderr.splitlines()
    assert f" s: {ROWS} rows and " in only and "\x1b" not in only
