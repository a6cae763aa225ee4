"""One Redis with both sides on it."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cardoon
from cardoon import App, AsyncResult
from helpers.waiting import DEADLINE_SECS, until

from .environments import TESTS, celery_python
from .processes import CeleryClient, Program

#: Queues: of one side each, and one that workers of both take from.
OURS, THEIRS, BOTH = "ours", "theirs", "both"
#: Of our worker that uses OpenTelemetry.
TRACED = "traced"


class Lab:
    """Both sides, with one version of Celery, on one database of a Redis server. Programs start when they are first
    used."""

    def __init__(self, version: str, url: str, folder: Path) -> None:
        self.version = version
        self.url = url
        self.folder = folder
        self.app = App("interop", broker=url, task_default_queue=THEIRS, set_as_current=False)
        self._programs: list[Program] = []
        self._words = 0

    # Our side.

    def send(self, task: str, *args: Any, **options: Any) -> AsyncResult[Any]:
        """Our application sends a task, to their worker if no queue is said."""
        return self.app.send_task(task, args, **options)

    def call(self, task: str, *args: Any, **options: Any) -> Any:
        return self.send(task, *args, **options).get(timeout=DEADLINE_SECS)

    def failure(self, id: str) -> Any:
        """What our reader sees of a failed task."""
        error = self.app.AsyncResult(id).get(timeout=DEADLINE_SECS, propagate=False)
        assert isinstance(error, BaseException), error
        return error

    def state(self, id: str) -> str:
        return self.app.AsyncResult(id).state

    @functools.cached_property
    def our_worker(self) -> Program:
        return self._our_worker("processes", f"{OURS},{BOTH}")

    @functools.cached_property
    def our_threads(self) -> Program:
        """Takes from the queue ``threads``."""
        return self._our_worker("threads", "threads")

    @functools.cached_property
    def our_loop(self) -> Program:
        """Takes from the queue ``asyncio``."""
        return self._our_worker("asyncio", "asyncio")

    @functools.cached_property
    def our_traced_worker(self) -> Program:
        """Of a program that uses OpenTelemetry. Takes from the queue ``traced``."""
        return self._our_worker("processes", TRACED, "interop.programs.traced_app")

    def dead_letters(self) -> list[dict[str, Any]]:
        command = ["-m", "cardoon", "--broker", self.url, "dead", "list", "-o", "jsonl"]
        done = subprocess.run(
            [sys.executable, *command], env=self._environment(), capture_output=True, text=True, check=True
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def dead_letter(self, id: str) -> dict[str, Any]:
        """The dead letter of a task, once it is there."""
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            found[:] = [letter for letter in self.dead_letters() if letter.get("id") == id]
            return bool(found)

        until(is_there, f"a dead letter of {id}")
        return found[0]

    # Their side.

    @functools.cached_property
    def celery(self) -> CeleryClient:
        client = CeleryClient(celery_python(self.version), self._environment(), self.folder / "client.log")
        self._programs.append(client)
        return client

    @functools.cached_property
    def their_worker(self) -> Program:
        """Two processes, which can be told to end by time limits."""
        return self._their_worker(f"{THEIRS},{BOTH}", "--pool", "prefork", "--concurrency", "2")

    @functools.cached_property
    def their_single_worker(self) -> Program:
        """One that runs tasks in its own process. Takes from the queue ``solo``."""
        return self._their_worker("solo", "--pool", "solo")

    # Notes of tasks, of both sides.

    def word(self) -> str:
        """A word that no other test says."""
        self._words += 1
        return f"word-{self._words}"

    def open(self, gate: str) -> None:
        """Lets tasks go on that wait for ``gate``."""
        (self.folder / gate).touch()

    def notes(self, word: str) -> list[str]:
        """What was noted with this word, in order."""
        try:
            lines = (self.folder / "notes").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [line for line in lines if line.split()[0] == word]

    def wait_for_note(self, word: str, count: int = 1) -> None:
        until(lambda: len(self.notes(word)) >= count, f"{count} notes of {word}")

    def close(self) -> None:
        self.app.close()
        for program in self._programs:
            program.process.terminate()
        for program in self._programs:
            program.end()

    def _our_worker(self, pool: str, queues: str, app: str = "interop.programs.our_app") -> Program:
        options = ["worker", "--pool", pool, "--queues", queues, "--concurrency", "2", "--loglevel", "info"]
        command = [sys.executable, "-m", "cardoon", "-A", app, *options]
        log = self.folder / f"our-{pool}-{queues.replace(',', '-')}.log"
        return self._started(Program(command, self._environment(), log), "queues    ")

    def _their_worker(self, queues: str, *options: str) -> Program:
        command = [celery_python(self.version), "-m", "celery", "--app", "interop.programs.celery_app", "worker"]
        command += ["--queues", queues, "--loglevel", "INFO", "--without-mingle", "--without-gossip", *options]
        command += ["--hostname", f"{queues.replace(',', '-')}@interop"]
        log = self.folder / f"their-{queues.replace(',', '-')}.log"
        return self._started(Program(command, self._environment(), log), " ready.")

    def _started(self, program: Program, ready: str) -> Program:
        self._programs.append(program)
        program.wait_for_log(ready)
        return program

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CARDOON_", "CELERY_"))}
        package = Path(cardoon.__file__).parent.parent
        # Where it is installed, its folder has other packages too, which must not stand in for Celery's own.
        path = [str(TESTS)] if package.name == "site-packages" else [str(TESTS), str(package)]
        return {
            **inherited,
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONDONTWRITEBYTECODE": "1",
            "INTEROP_URL": self.url,
            "INTEROP_FOLDER": str(self.folder),
            # Where the tests run as root, Celery would warn of it in each log.
            "C_FORCE_ROOT": "1",
            "LANG": "C.UTF-8",
        }
