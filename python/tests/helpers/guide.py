"""Carries out a guide as a reader does: writes its files, types its commands, and compares what they print.

In a guide

* a block whose first line is ``# name.ext`` is a file,
* a block ``sh`` is typed line by line, from the reader's home on; a line that ends with ``# in a terminal of its own`` goes on beside the
  others, and one with ``# status N`` ends with that status,
* a block ``text`` has whole lines of what the commands before it print, among others; ``…`` stands for anything in a line.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .waiting import until

DEADLINE_SECS = 120
BESIDE = ("# in a terminal of its own", "# 另开一个终端")
STATUS = re.compile(r"# (?:status|退出码) (\d+)$")
FILE = re.compile(r"# ([\w./-]+\.\w+)\n")


@dataclass
class Block:
    language: str
    text: str


@dataclass
class Beside:
    """A command that goes on in a terminal of its own."""

    process: subprocess.Popen[bytes]
    log: Path


class Guide:
    """A guide and the home of its reader. ``numbers``: ports in the guide, and those that are free here."""

    def __init__(self, document: Path, home: Path, numbers: dict[str, str], programs: list[Path]) -> None:
        self.document = document
        self.home = home
        self.folder = home
        self.numbers = numbers
        self.beside: list[Beside] = []
        self.printed = ""
        self.printed_by: Beside | None = None
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("CARDOON_", "LANG", "LC_"))}
        path = [str(Path(sys.executable).parent), *map(str, programs), ours.get("PATH", "")]
        # Only the language of messages: other programs want a whole locale to be installed.
        language = "zh_CN.UTF-8" if document.parent.name == "zh" else "C.UTF-8"
        self.environment = {
            **ours,
            "HOME": str(home),
            "PATH": os.pathsep.join(path),
            "PYTHONUNBUFFERED": "1",
            "LANG": "C.UTF-8",
            "LC_MESSAGES": language,
        }

    def carry_out(self) -> None:
        for block in blocks(self.document):
            text = self.as_here(block.text)
            file = FILE.match(text)
            if file is not None:
                self.write(file[1], text)
            elif block.language == "sh":
                self.type(text)
            elif block.language == "text":
                self.compare(text)

    def as_here(self, text: str) -> str:
        for number, here in self.numbers.items():
            text = text.replace(number, here)
        return text

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def type(self, text: str) -> None:
        self.printed, self.printed_by = "", None
        for line in text.replace("\\\n", " ").splitlines():
            if line.endswith(BESIDE):
                self.start(line)
            elif line.strip() and not line.startswith("#"):
                self.run(line)

    def run(self, line: str) -> None:
        """Runs a line to its end; where it leaves the reader, the next one begins."""
        status = STATUS.search(line)
        place = self.home / ".place"
        script = f"{{ {line}\n}}; s=$?; pwd > '{place}'; exit $s"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=DEADLINE_SECS,
        )
        printed = done.stdout.decode(errors="replace")
        expected = int(status[1]) if status else 0
        assert done.returncode == expected, f"{line}\nends with {done.returncode}:\n{printed}{self.logs()}"
        self.printed, self.printed_by = self.printed + printed, None
        self.folder = Path(place.read_text().strip())

    def start(self, line: str) -> None:
        log = self.home / f".terminal-{len(self.beside)}.log"
        command = line.partition(" # ")[0]
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"exec env {command}"], cwd=self.folder, env=self.environment, stdout=output, stderr=output
            )
        self.printed_by = Beside(process, log)
        self.beside.append(self.printed_by)

    def compare(self, text: str) -> None:
        if self.printed_by is None:
            assert shows(self.printed, text), f"expected:\n{text}\nprinted:\n{self.printed}{self.logs()}"
        else:
            log = self.printed_by.log
            until(lambda: shows(log.read_text(errors="replace"), text), f"{text}\nin {log}", DEADLINE_SECS)

    def logs(self) -> str:
        return "".join(f"\n--- {beside.log.name}\n{beside.log.read_text(errors='replace')[-2000:]}" for beside in self.beside)

    def close(self) -> None:
        for beside in reversed(self.beside):
            with suppress(ProcessLookupError):
                beside.process.send_signal(signal.SIGINT)
            try:
                beside.process.wait(20)
            except subprocess.TimeoutExpired:
                beside.process.kill()
                beside.process.wait()


def shows(printed: str, expected: str) -> bool:
    """Whether the expected lines are among those that were printed, in their order."""
    lines = iter(printed.splitlines())
    return all(any(is_like(line, one) for line in lines) for one in expected.strip().splitlines())


def is_like(line: str, expected: str) -> bool:
    pattern = re.escape(expected.strip()).replace("…", ".*")
    return re.fullmatch(pattern, line.strip()) is not None


def blocks(document: Path) -> list[Block]:
    """The blocks between fences, in their order."""
    text = document.read_text(encoding="utf-8")
    found = re.findall(r"^ *```(\w+)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [Block(language, block) for language, block in found]
