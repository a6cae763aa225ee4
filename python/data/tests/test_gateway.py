"""Queries that are sent over HTTP: how far they are, and what they may not read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cardoon.exceptions import TaskFailed
from cardoon.gateway import Gateway
from helpers.tasks import Tasks, tasks

#: Slow enough to be seen while it runs.
SLOW = "select k, count(*) as n from 'many.csv' where encode(sha256(repeat(text, 20)), 'hex') > '0' group by k"

ROWS = 200_000


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Tasks]:
    with tasks(tmp_path) as started:
        yield started


def send(gateway: Gateway, query: str, out: str) -> str:
    return gateway.send("cardoon.data.sql", kwargs={"query": query, "out": out}, queue="data")


def test_a_query_tells_how_far_it_is_as_events(started: Tasks) -> None:
    rows = "".join(f"{row % 10},text {row}\n" for row in range(ROWS))
    (started.folder / "many.csv").write_text("k,text\n" + rows, encoding="utf-8")
    gateway = started.gateway()
    started.data_worker("--memory", "256MiB", "--threads", "1")
    sent, seen = "", [""]

    def listen() -> None:
        for event in gateway.events(kind="task-progress"):
            seen.append(str(event["data"]["detail"]) if event["data"]["uuid"] == sent else "another")
            if " left" in seen[-1]:
                return

    listening = threading.Thread(target=listen, daemon=True)
    listening.start()
    while len(seen) == 1:
        # Workers tell nothing before somebody listens.
        gateway.wait(send(gateway, "select 1 as one", "one.csv"), timeout=30)
    sent = send(gateway, SLOW, "counts.csv")
    listening.join(60)
    # Bytes of all bytes, rows of each stage, and the time that is left.
    read, _, rest = seen[-1].partition("/")
    size = (started.folder / "many.csv").stat().st_size
    assert 0 < int(read) < size and rest.startswith(f"{size} read "), seen
    assert " rows, group " in rest and rest.endswith(" s left"), seen
    told = gateway.get(sent)["progress"]
    assert told is not None and told["total"] == size and "read " in told["message"]
    took = gateway.wait(sent, timeout=60)
    assert (took["rows"], took["rows_read"], took["bytes_read"]) == (10, ROWS, size)
    assert (took["spilled_bytes"], took["retries"], took["bad_rows"]) == (0, 0, 0)
    assert took["seconds"] > 0


@pytest.fixture
def fenced(started: Tasks) -> Gateway:
    """A gateway, and a worker that may use the folder ``open``, beside which lies ``secret``."""
    for name, word in (("open", "allowed"), ("secret", "hidden")):
        (started.folder / name).mkdir()
        (started.folder / name / "a.csv").write_text(f"word\n{word}\n", encoding="utf-8")
    place = started.folder / "open"
    (place / "link.csv").symlink_to(started.folder / "secret" / "a.csv")
    (place / "folder").symlink_to(started.folder / "secret")
    gateway = started.gateway()
    started.data_worker("--memory", "256MiB", "--root", str(place), folder=place)
    return gateway


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/etc/*",
        "file:///etc/passwd",
        "../secret/a.csv",
        "../*/a.csv",
        "./../secret/a.csv",
        "folder/../../secret/a.csv",
        "nowhere/../../secret/a.csv",
        "{parent}/secret/a.csv",
        "{parent}/open/../secret/a.csv",
        "link.csv",
        "*.csv",
        "folder/a.csv",
        "folder/",
        "folder/*.csv",
        "fold*/a.csv",
        # Whether it is there is not told either.
        "/nowhere/a.csv",
    ],
)
def test_a_query_reads_nothing_outside_of_the_roots(path: str, fenced: Gateway, started: Tasks) -> None:
    # What may be read is read, so that it is the path that is refused.
    assert fenced.wait(send(fenced, "select word from 'a.csv'", "copy.csv"), timeout=30)["rows"] == 1
    path = path.format(parent=started.folder)
    for query in (f"select * from '{path}'", f"select a.word from 'a.csv' a, '{path}' b"):
        failure = refused(fenced, send(fenced, query, "out.csv"))
        assert failure["kind"] == "CD8016" and "allowed are" in failure["details"], failure
    assert names(started.folder / "open") == {"a.csv", "copy.csv", ".copy.csv.run", "folder", "link.csv"}


@pytest.mark.parametrize("out", ["{parent}/secret/out.csv", "../secret/out.csv", "../out.csv", "folder/out.csv"])
def test_a_query_writes_nothing_outside_of_the_roots(out: str, fenced: Gateway, started: Tasks) -> None:
    sent = send(fenced, "select word from 'a.csv'", out.format(parent=started.folder))
    assert refused(fenced, sent)["kind"] == "CD8016"
    assert names(started.folder / "secret") == {"a.csv"}
    assert not any(name.endswith("out.csv") for name in names(started.folder))


def test_a_link_that_stands_for_the_output_is_replaced_and_not_followed(fenced: Gateway, started: Tasks) -> None:
    assert fenced.wait(send(fenced, "select word from 'a.csv'", "link.csv"), timeout=30)["rows"] == 1
    assert (started.folder / "secret" / "a.csv").read_text(encoding="utf-8") == "word\nhidden\n"
    assert (started.folder / "open" / "link.csv").read_text(encoding="utf-8") == "word\nallowed\n"


def refused(gateway: Gateway, sent: str) -> dict[str, Any]:
    """Why a task has failed, which tells nothing of what it may not read."""
    with pytest.raises(TaskFailed):
        gateway.wait(sent, timeout=30)
    task = gateway.get(sent)
    assert "hidden" not in json.dumps(task) and "root:" not in json.dumps(task)
    record: Any = task["record"]
    failure: dict[str, Any] = record["failure"]
    return failure


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}
