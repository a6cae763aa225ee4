"""A user's project, and workers that run its tasks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cardoon
from cardoon import App, AsyncResult

from .processes import children_of, command_of, threads_of
from .waiting import DEADLINE_SECS, until

HEAD = """\
import os, sys, time
from cardoon import App
from cardoon.exceptions import *

app = App("tasks", broker=os.environ["TEST_BROKER"])

def note(*words):
    # One write, so that lines of several processes do not mix.
    with open("notes", "ab", buffering=0) as notes:
        notes.write((" ".join(map(str, words)) + "\\n").encode())

"""


class Project:
    """A folder with a module ``tasks``, a broker, and the workers that were started in it."""

    def __init__(self, folder: Path, broker: str | None = None) -> None:
        self.folder = folder
        self.broker = broker or f"sqlite:{folder}/tasks.db"
        self.app = App("tasks", broker=self.broker, set_as_current=False)
        self.workers: list[Worker] = []

    def write(self, source: str, file: str = "tasks.py", head: str = HEAD) -> None:
        (self.folder / file).write_text(head + textwrap.dedent(source), encoding="utf-8")

    def worker(
        self,
        *options: str,
        slots: tuple[str, ...] = ("-c", "2"),
        wait: bool = True,
        env: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Worker:
        """Starts ``cardoon -A tasks worker -l info`` with ``options``, by default two children, and waits for these."""
        slots = () if "-c" in options else slots
        worker = Worker(self, ("-A", "tasks", "worker", "-l", "info", *slots, *options), env or {}, **more)
        if wait:
            worker.wait_until_ready()
        return worker

    def command(self, *arguments: str, deadline_secs: float = DEADLINE_SECS, **env: str) -> tuple[int, str]:
        """Runs ``cardoon`` to its end: status and what it wrote."""
        command = Worker(self, arguments, env)
        return command.wait(deadline_secs), command.log()

    def send(self, task: str, *args: Any, **options: Any) -> AsyncResult[Any]:
        return self.app.send_task(f"tasks.{task}", args, **options)

    def send_many(self, task: str, calls: Iterable[tuple[Any, ...]]) -> list[AsyncResult[Any]]:
        return self.app.send_many([(f"tasks.{task}", call) for call in calls])

    def call(self, task: str, *args: Any, **options: Any) -> Any:
        """The task's value, or the exception that it failed with."""
        return self.send(task, *args, **options).get(timeout=DEADLINE_SECS, propagate=False)

    def notes(self) -> list[str]:
        """What tasks have noted, in order."""
        try:
            return (self.folder / "notes").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def wait_for_notes(self, *wanted: str) -> None:
        until(lambda: set(wanted) <= set(self.notes()), f"notes {wanted}, there are {self.notes()[-5:]}")

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CARDOON_")}
        package = str(Path(cardoon.__file__).parent.parent)
        return {**inherited, "PYTHONPATH": package, "TEST_BROKER": self.broker, "LANG": "C.UTF-8"}

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.app.close()


class Worker:
    """A ``cardoon`` command, ended by its handle."""

    count = 0

    def __init__(self, project: Project, arguments: Iterable[str], env: Mapping[str, str], **more: Any) -> None:
        Worker.count += 1
        self.arguments = list(arguments)
        self.project = project
        self.log_file = project.folder / f"worker-{Worker.count}.log"
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cardoon", *self.arguments],
                cwd=project.folder,
                env={**project.environment(), **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **more,
            )
        self.pid = self.process.pid
        project.workers.append(self)

    def wait_until_ready(self, children: int | None = None) -> None:
        wanted = children or (1 if self.is_single() else 2)

        def ready() -> bool:
            assert self.process.poll() is None, self.log()
            return len(self.children()) >= wanted

        until(ready, f"a worker that is ready; its log: {self.log()}")

    def is_single(self) -> bool:
        """Whether it is to have one child only."""
        return any(words in " ".join(self.arguments) for words in ("threads", "asyncio", "solo", "-c 1"))

    def family(self) -> list[int]:
        """The zygote, the children, and the spare that is to become the next one."""
        return [pid for pid in children_of(self.pid) if "cardoon._zygote" in command_of(pid)]

    def children(self) -> list[int]:
        """The processes that run tasks: what tells them from a zygote is the thread that listens."""
        return [pid for pid in self.family() if _listens(pid)]

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def lines(self, text: str) -> list[str]:
        """The lines with ``text``; one that is still being written is none."""
        return [line for line in self.log().split("\n")[:-1] if text in line]

    def wait_for_log(self, text: str) -> list[str]:
        return until(lambda: self.lines(text), f"{text!r} in the log: {self.log()[-2000:]}")

    def output(self) -> list[tuple[str, str]]:
        """What tasks printed: lines, each with the id of its task."""
        task = r" task\.id=(?P<id>\S+) task\.name=\S+ queue=\S+ attempt=\d+"
        pattern = re.compile(rf"^\S+Z +INFO (?P<line>.*?)(?:{task})? worker=\S+(?: trace_id=\S+)? pid=\d+$")
        found = (pattern.match(line) for line in self.log().split("\n")[:-1])
        return [(match["id"] or "", match["line"]) for match in found if match]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, deadline_secs: float = DEADLINE_SECS) -> int:
        try:
            return self.process.wait(deadline_secs)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the worker did not end; its log: {self.log()[-3000:]}") from None

    def stop(self, deadline_secs: float = DEADLINE_SECS) -> int:
        """SIGTERM: drains and ends."""
        self.signal(signal.SIGTERM)
        return self.wait(deadline_secs)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def _listens(pid: int) -> bool:
    if threads_of(pid) < 2:
        return False
    try:
        names = [Path(f"/proc/{pid}/task/{task}/comm").read_text() for task in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return False
    return "cardoon-line\n" in names
