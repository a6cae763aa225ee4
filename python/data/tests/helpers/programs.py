"""Programs that have calls made, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, sys
from cardoon.distributed import Client, LocalCluster
from helpers import calls
{head}
if __name__ == "__main__":
    cluster = LocalCluster(n_workers=1, threads_per_worker=2)
    client = Client(cluster)
    {body}
"""


def script(folder: Path, body: str, head: str = "") -> tuple[list[str], dict[str, str]]:
    """The command and the environment of a program that has a client of a cluster, and this body and head."""
    script = folder / "script.py"
    script.write_text(PROGRAM.format(body=body, head=head), encoding="utf-8")
    path = os.pathsep.join([str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    return [sys.executable, str(script)], {**os.environ, "PYTHONPATH": path}


def program(folder: Path, body: str, head: str = "") -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    command, environment = script(folder, body, head)
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=90)


def say(word: str) -> str:
    """A line that says a word at once."""
    return f"print({word!r}, flush=True)"


#: Calls that go on, and a line that says that they were sent.
HOLDING = "f = [client.submit(calls.held, calls.Path('.'), f'call{i}') for i in range(2)]; print('ready', flush=True)"
