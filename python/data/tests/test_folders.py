"""Temporary files of programs that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")

_PROGRAM = """
import sys
import pandas as pd
import cardoon_data as dd
frame = dd.from_pandas(pd.DataFrame({"x": [1, 2]}), npartitions=1)
print(int(frame.x.sum().compute()), flush=True)
sys.stdin.read()
"""


def _program(folder: Path) -> subprocess.Popen[str]:
    """A program that has a frame with rows of its own, until its input ends."""
    environment = {**os.environ, "TMPDIR": str(folder)}
    command = [sys.executable, "-c", _PROGRAM]
    program = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "3\n"
    return program


def _left(folder: Path) -> set[Path]:
    return set(folder.glob("cardoon-data-*"))


def test_what_a_killed_program_leaves_is_removed_by_the_next_one(tmp_path: Path) -> None:
    killed, other = _program(tmp_path), None
    try:
        before = _left(tmp_path)
        assert len(before) == 2, "a folder and the file that is locked"
        killed.send_signal(signal.SIGKILL)
        killed.wait(30)
        assert _left(tmp_path) == before, "or this shows nothing"
        other = _program(tmp_path)
        theirs = _left(tmp_path)
        assert len(theirs) == 2 and not theirs & before
        third = _program(tmp_path)
        assert _left(tmp_path) > theirs, "the other program lives"
        third.communicate("", 30)
        assert _left(tmp_path) == theirs
        other.communicate("", 30)
        assert _left(tmp_path) == set()
    finally:
        for program in (killed, other):
            if program is not None:
                program.kill()
                program.wait(30)
