"""Processes of both sides, ended by their handles."""

from __future__ import annotations

import ast
import contextlib
import datetime
import json
import math
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from helpers.waiting import DEADLINE_SECS, until

_TYPES = {"datetime": datetime, "Decimal": Decimal, "UUID": UUID, "nan": math.nan, "inf": math.inf}


class Program:
    """A process and its children, in a group of their own."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, stdin: int = subprocess.DEVNULL
    ) -> None:
        self.log_file = log
        self.is_client = stdin == subprocess.PIPE
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=stdin,
                stdout=subprocess.PIPE if self.is_client else output,
                stderr=output,
                cwd=log.parent,
                text=True,
                start_new_session=True,
            )

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def wait_for_log(self, text: str) -> None:
        def said() -> bool:
            assert self.process.poll() is None, f"{self.log_file.name}: it ended: {self.log()[-3000:]}"
            return text in self.log()

        until(said, f"{text!r} in {self.log_file.name}")

    def end(self) -> None:
        """Waits a moment for its end, which it was asked for, and ends what is left of it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class CeleryClient(Program):
    """Sends tasks and reads results with real Celery, by the functions of ``programs/celery_client.py``."""

    def __init__(self, python: str, environment: Mapping[str, str], log: Path) -> None:
        command = [python, "-m", "interop.programs.celery_client"]
        super().__init__(command, environment, log, stdin=subprocess.PIPE)

    def ask(self, name: str, *args: Any, **options: Any) -> Any:
        """What the function ``name`` of the client answers."""
        requests, answers = self._pipes()
        requests.write(json.dumps(repr((name, args, options))) + "\n")
        requests.flush()
        line = answers.readline()
        assert line, f"the client has ended: {self.log()[-3000:]}"
        succeeded, answer = _value(json.loads(line))
        assert succeeded, answer
        return answer

    def send(self, task: str, *args: Any, **options: Any) -> str:
        """Sends a task by its name; answers its id."""
        return str(self.ask("send", task, args, **options))

    def get(self, id: str) -> Any:
        """A task's value; one that failed fails the test."""
        ended = self.ask("get", id, DEADLINE_SECS)
        assert "value" in ended, ended
        return ended["value"]

    def raised(self, id: str) -> dict[str, Any]:
        """What a reader of a failed task sees raised."""
        ended: dict[str, Any] = self.ask("get", id, DEADLINE_SECS)
        assert "type" in ended, ended
        return ended

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self.process.stdin is not None and self.process.stdout is not None
        return self.process.stdin, self.process.stdout


def _value(expression: str) -> Any:
    try:
        return ast.literal_eval(expression)
    except ValueError:
        # Dates and the like are calls, and some numbers are names.
        return eval(expression, dict(_TYPES))
