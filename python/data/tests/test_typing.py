"""What type checkers say of the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cardoon_data

HERE = Path(__file__).parent
PACKAGE = Path(cardoon_data.__file__).parent


def said(*command: str) -> str:
    """What a checker says; empty if it is content."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=HERE, env=os.environ, capture_output=True, text=True, timeout=110
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_types_reach_the_programs_of_users(tmp_path: Path) -> None:
    assert not said("mypy", "--strict", "--cache-dir", str(tmp_path), str(HERE / "typing" / "cases.py"))


def test_the_stub_of_the_compiled_part_tells_what_it_has() -> None:
    assert not said("mypy.stubtest", "cardoon_data._engine")


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
