"""``cardoon dev --reload``, as people start it: by the script of a virtual environment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.project import Project
from helpers.waiting import until

SCRIPT = Path(sys.executable).parent / "cardoon"


@contextmanager
def dev(project: Project, *options: str, folder: Path | None = None) -> Iterator[Path]:
    """Its log. Only what is installed is on its path."""
    log = project.folder / "dev.log"
    environment = {name: value for name, value in project.environment().items() if name != "PYTHONPATH"}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [SCRIPT, "-A", "tasks", "dev", "--reload", "-c", "1", *options],
            cwd=folder or project.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield log
    finally:
        process.kill()
        process.wait()


def said(value: int) -> str:
    return f"@app.task\ndef number():\n    return {value}\n"


@pytest.mark.parametrize("workdir", [False, True])
def test_a_change_is_seen_and_the_next_run_has_it(project: Project, workdir: bool) -> None:
    project.write(said(1))
    options = ("--workdir", project.folder.name) if workdir else ()
    with dev(project, *options, folder=project.folder.parent if workdir else None) as log:
        assert project.call("number") == 1
        assert "starting again" not in log.read_text()
        project.write(said(2))
        until(lambda: "starting again" in log.read_text(), f"a new start: {log.read_text()}")
        until(lambda: project.call("number") == 2, f"the new value: {log.read_text()}")
        project.write("def broken(:\n")
        until(lambda: "SyntaxError" in log.read_text(), "the error")
        project.write(said(3))
        until(lambda: project.call("number") == 3, f"the last value: {log.read_text()}")
