"""Objects of a store: read, written, refused."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pandas as pd
import pytest

import cardoon.dataframe as dd
from cardoon import App
from cardoon.distributed import Client, LocalCluster
from cardoon.exceptions import CardoonError, ImproperlyConfigured, OperationalError
from conftest import LOGS, USERS
from helpers.between import between
from helpers.ports import port_of_nobody
from helpers.processes import running, wait_until
from helpers.same import assert_same, in_order
from helpers.store import Store, store

PROGRAM = [sys.executable, "-m", "cardoon_data"]

#: Rows of the object that is longer than several ranges: about 25 MB.
ROWS = 400_000


@pytest.fixture(scope="module")
def server() -> Iterator[Store]:
    """The logs and the users in the bucket ``data``, in some ways of writing them; the bucket ``out`` is empty."""
    with store() as server:
        for bucket in ("data", "out"):
            server.client.create_bucket(Bucket=bucket)
        for number, text in enumerate(LOGS):
            server.put("data", f"logs/{number}.csv", text)
            server.put("data", f"packed/{number}.csv.gz", gzip.compress(text.encode()))
            server.put("data", f"logs/deep/er/{number}.csv", text)
        server.put("data", "logs/notes.md", "no table")
        server.put("data", "users.csv", USERS)
        server.put("data", "big.csv", _big())
        yield server


@pytest.fixture
def s3(server: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The same, with the environment that programs need."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


def _big() -> str:
    """Fields with line ends, so that no place but the begin tells where a row begins."""
    row = '{},"a ""note"", which\nis of two lines, number {}",{}.5\n'
    return "id,note,amount\n" + "".join(row.format(number, number, number % 1000) for number in range(ROWS))


def _sum(numbers: int) -> int:
    return numbers * (numbers - 1) // 2


def test_csv_is_read_by_patterns_folders_and_lists(s3: Store, theirs: pd.DataFrame) -> None:
    whole = ["s3://data/logs/0.csv", "s3://data/logs/1.csv"]
    for path in ["s3://data/logs/*.csv", "s3://data/logs/?.csv", "s3://data/logs/[01].csv", "s3://data/logs/", whole]:
        assert_same(dd.read_csv(path, parse_dates=["when"]), theirs)
    assert_same(dd.read_csv("s3://data/logs", parse_dates=["when"]), theirs)
    assert len(dd.read_csv("s3://data/logs/**/*.csv")) == 2 * len(theirs)


def test_packed_objects_are_unpacked(s3: Store, theirs: pd.DataFrame) -> None:
    assert_same(dd.read_csv("s3://data/packed/*.csv.gz", parse_dates=["when"]), theirs)


def test_sql_names_urls(s3: Store, theirs: pd.DataFrame) -> None:
    query = "select user_id, count(*) as n from 's3://data/logs/*.csv' group by user_id order by user_id"
    sizes = theirs.groupby("user_id").size().reset_index(name="n")
    assert_same(dd.sql(query), sizes)
    said = subprocess.run([*PROGRAM, "sql", "-o", "csv", query], capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stderr
    assert_same(pd.read_csv(io.StringIO(said.stdout)), sizes)


def test_an_object_longer_than_many_ranges_is_read_right(s3: Store) -> None:
    frame = dd.read_csv("s3://data/big.csv")
    assert frame.dtypes["id"] == "int64"
    assert frame.id.sum().compute() == _sum(ROWS)
    assert frame.note.nunique().compute() == ROWS
    # In the order of the object, by one thread.
    tail = frame[frame.id >= ROWS - 2].compute()
    assert list(tail.note) == [f'a "note", which\nis of two lines, number {ROWS - 2 + number}' for number in range(2)]


def test_parquet_and_json_lines_are_written_and_read(s3: Store, ours: Any, theirs: pd.DataFrame) -> None:
    ours.to_parquet("s3://out/kinds/logs.parquet")
    assert_same(pd.read_parquet(io.BytesIO(s3.get("out", "kinds/logs.parquet"))), theirs)
    assert_same(dd.read_parquet("s3://out/kinds/logs.parquet"), theirs)
    assert_same(dd.read_parquet("s3://out/kinds/*.parquet", columns=["amount"]), theirs[["amount"]])

    columns = ["user_id", "action", "amount"]
    assert ours[columns].to_json("s3://out/kinds/logs.jsonl") == ["s3://out/kinds/logs.jsonl"]
    assert_same(pd.read_json(io.BytesIO(s3.get("out", "kinds/logs.jsonl")), lines=True), theirs[columns])
    assert_same(dd.read_json("s3://out/kinds/logs.jsonl"), theirs[columns])


def test_an_object_that_was_replaced_is_read_anew(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.client.create_bucket(Bucket="other")
    # The same key, the same length, and the same second.
    for _ in range(3):
        for value, bucket in [(1, "out"), (2, "out"), (3, "other")]:
            dd.from_pandas(pd.DataFrame({"a": [value]})).to_parquet(f"s3://{bucket}/replaced/a.parquet")
            frame = dd.read_parquet(f"s3://{bucket}/replaced/a.parquet")
            assert (len(frame[frame.a == value]), frame.a.max().compute(), frame.a.min().compute()) == (1, value, value)


def test_csv_is_written_and_read_again(s3: Store, ours: Any, theirs: pd.DataFrame) -> None:
    assert ours.to_csv("s3://out/csv/a-*.csv") == ["s3://out/csv/a-0.csv"]
    assert ours.to_csv("s3://out/csv/folder/") == ["s3://out/csv/folder/0.part"]
    assert_same(dd.read_csv("s3://out/csv/a-0.csv", parse_dates=["when"]), theirs)
    query = "select * from 's3://data/users.csv'"
    said = subprocess.run(
        [*PROGRAM, "sql", query, "--out", "s3://out/csv/users.csv"], capture_output=True, text=True, timeout=60
    )
    assert said.returncode == 0, said.stderr
    assert "s3://out/csv/users.csv" in said.stdout + said.stderr
    assert_same(dd.read_csv("s3://out/csv/users.csv"), pd.read_csv(io.StringIO(USERS)))


def test_an_object_of_many_parts_is_whole(s3: Store) -> None:
    dd.read_csv("s3://data/big.csv").to_csv("s3://out/parts/big.csv")
    written = pd.read_csv(io.BytesIO(s3.get("out", "parts/big.csv")))
    assert (len(written), written.id.sum(), written.note.nunique()) == (ROWS, _sum(ROWS), ROWS)
    assert s3.uploads("out") == []


def test_a_write_that_fails_leaves_what_was_there(s3: Store) -> None:
    s3.put("data", "broken/big.csv", _big() + "1,2,3,4,5\n")
    s3.put("out", "failed/big.csv", "old")
    with pytest.raises(CardoonError, match="CD8005"):
        dd.read_csv("s3://data/broken/big.csv").to_csv("s3://out/failed/big.csv")
    assert s3.get("out", "failed/big.csv") == b"old"
    assert s3.uploads("out") == []


def test_a_store_that_fails_in_the_midst_of_a_write_keeps_nothing(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def second_part(method: str, path: str) -> int | None:
        return 500 if method == "PUT" and "partNumber=2" in path else None

    with between(s3.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        frame = dd.read_csv("s3://data/big.csv")
        proxy.before = second_part
        with pytest.raises(OperationalError, match=r"(?s)CD8032.*s3://out/half/big\.csv"):
            frame.to_csv("s3://out/half/big.csv")
        assert proxy.count("PUT", "/out/half/big.csv?partNumber=1") == 1
        assert proxy.count("DELETE", "/out/half/big.csv") == 1
        assert (s3.uploads("out"), "half/big.csv" in s3.keys("out")) == ([], False)
        proxy.before = lambda method, path: None
        frame.to_csv("s3://out/half/big.csv")
        assert "half/big.csv" in s3.keys("out")


def test_a_request_that_fails_is_sent_again(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[str] = []

    def first_of_each(method: str, path: str) -> int | None:
        if path in failed:
            return None
        failed.append(path)
        return 503

    with between(s3.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        proxy.before = first_of_each
        assert len(dd.read_csv("s3://data/users.csv")) == 4
        assert failed


def test_an_object_that_changes_while_it_is_read_is_found_out(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    text = _big()
    s3.put("data", "changing/big.csv", text)
    with between(s3.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        frame = dd.read_csv("s3://data/changing/big.csv")
        assert frame.id.sum().compute() == _sum(ROWS)
        asked = proxy.count("GET", "/data/changing/big.csv")

        def change_at_the_third_range(method: str, path: str) -> None:
            # After the samples, which are at the begin, in the middle and at the end.
            if proxy.count("GET", "/data/changing/big.csv") == asked + 6:
                s3.put("data", "changing/big.csv", text.replace("note", "note".upper()))

        proxy.before = change_at_the_third_range
        with pytest.raises(CardoonError, match=r"(?s)CD8009.*s3://data/changing/big\.csv"):
            frame.id.sum().compute()


def test_samples_cost_three_small_ranges(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with between(s3.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        dd.sql("select * from 's3://data/big.csv'")
        ranges = [of for method, path, of in proxy.seen if method == "GET" and path == "/data/big.csv"]
        spans = [tuple(map(int, of.removeprefix("bytes=").split("-"))) for of in ranges if of is not None]
        assert len(ranges) == len(spans) == 3
        assert all(end - start < 128 << 10 for start, end in spans)


def test_a_writer_that_is_killed_leaves_no_object(s3: Store) -> None:
    s3.client.create_bucket(Bucket="killed")
    query = "select a.id, a.note, b.note as other from 's3://data/big.csv' a join 's3://data/big.csv' b on a.amount = b.amount"
    command = [*PROGRAM, "sql", query, "--out", "s3://killed/big.csv"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while not s3.uploads("killed"):
                assert process.poll() is None and time.monotonic() < deadline, "nothing is being written"
        finally:
            process.kill()
    assert s3.keys("killed") == []


def test_options_are_those_of_s3fs(s3: Store, theirs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in s3.environment:
        monkeypatch.delenv(name)
    options = s3.options
    assert_same(dd.read_csv("s3://data/logs/*.csv", storage_options=options, parse_dates=["when"]), theirs)
    frame = dd.read_csv("s3://data/logs/*.csv", storage_options=options)[["user_id", "amount"]]
    frame.to_parquet("s3://out/options/a.parquet", storage_options=options)
    assert_same(dd.read_parquet("s3://out/options/a.parquet", storage_options=options), theirs[["user_id", "amount"]])
    frame.to_json("s3://out/options/a.jsonl", storage_options=options)
    assert_same(dd.read_json("s3://out/options/a.jsonl", storage_options=options), theirs[["user_id", "amount"]])
    assert s3.secret not in frame.explain() + repr(frame)


def test_an_option_with_another_name_is_refused(s3: Store) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"(?s)CD8033") as raised:
        dd.read_csv("s3://data/users.csv", storage_options={"secrets": s3.secret})
    assert "'secret'" in str(raised.value) or '"secret"' in str(raised.value)
    assert s3.secret not in str(raised.value)
    with pytest.raises(TypeError):
        dd.read_csv("s3://data/users.csv", storage_options={"key": object()})
    with pytest.raises(ImproperlyConfigured, match="CD8033"):
        dd.read_csv("s3://data/users.csv", storage_options={"endpoint_url": "127.0.0.1:9000"})


@pytest.mark.parametrize("url", ["s3://data/logs/*.csv", "s3://data/users.csv"])
def test_a_wrong_secret_is_said_and_not_repeated(url: str, s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret-of-anybody")
    with pytest.raises(PermissionError, match="CD8030") as raised:
        dd.read_csv(url)
    said = str(raised.value)
    assert "SignatureDoesNotMatch" in said and url.partition("*")[0] in said
    assert "not-the-secret" not in said and s3.secret not in said and s3.key not in said
    assert s3.key[:4] in said
    with pytest.raises(PermissionError, match="CD8030"):
        dd.from_pandas(pd.DataFrame({"a": [1]})).to_csv("s3://out/denied.csv")


class _Refusing(BaseHTTPRequestHandler):
    """A store that remembers what it was sent, and refuses it."""

    seen: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization"))
        body = b"<Error><Code>AccessDenied</Code></Error>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.command == "GET" else b"")

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def test_without_keys_requests_are_not_signed_and_nobody_waits(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as refusing:
        serving = Thread(target=refusing.serve_forever)
        serving.start()
        try:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{refusing.server_port}")
            keys: dict[str, Any] = {"key": "K" * 20, "secret": "S" * 20}
            options: list[tuple[dict[str, Any] | None, bool]] = [(keys, True), ({"anon": True}, False), (None, False)]
            for storage_options, is_signed in options:
                if storage_options is None:
                    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
                    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
                _Refusing.seen.clear()
                begun = time.monotonic()
                with pytest.raises(PermissionError, match="CD8030"):
                    dd.read_csv("s3://data/users.csv", storage_options=storage_options)
                assert time.monotonic() - begun < 10
                assert _Refusing.seen and all((seen is not None) == is_signed for seen in _Refusing.seen)
        finally:
            refusing.shutdown()
            serving.join(10)


def test_what_is_not_there_is_said(s3: Store) -> None:
    with pytest.raises(FileNotFoundError, match=r"(?s)CD8001.*s3://data/logs/1\.csv"):
        dd.read_csv("s3://data/logs/11.csv")
    with pytest.raises(FileNotFoundError, match="CD8001"):
        dd.read_csv("s3://data/nothing/*.csv")
    for url in ["s3://no-such-bucket/a.csv", "s3://no-such-bucket/*.csv"]:
        with pytest.raises(FileNotFoundError, match="CD8031"):
            dd.read_csv(url)
    with pytest.raises(FileNotFoundError, match="CD8031"):
        dd.from_pandas(pd.DataFrame({"a": [1]})).to_csv("s3://no-such-bucket/a.csv")
    with pytest.raises(ImproperlyConfigured, match="CD8033"):
        dd.read_csv("gs://data/a.csv")


def test_a_store_that_is_away_is_given_up_soon(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with port_of_nobody() as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        begun = time.monotonic()
        with pytest.raises(OperationalError, match=rf"(?s)CD8032.*127\.0\.0\.1:{port}"):
            dd.read_csv("s3://data/users.csv")
    assert time.monotonic() - begun < 15


def test_roots_allow_prefixes_of_urls(s3: Store, tmp_path: Path) -> None:
    s3.put("data", "reports/a.csv", USERS)
    s3.put("data", "reports2/a.csv", USERS)

    def status(path: str, *roots: str) -> tuple[int, str]:
        options = [option for root in roots for option in ("--root", root)]
        command = [*PROGRAM, "sql", f"select count(*) from '{path}'", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
        return done.returncode, done.stderr

    assert status("s3://data/reports/*.csv", "s3://data/reports")[0] == 0
    for path in ["s3://data/reports2/a.csv", "s3://data/rep*/a.csv", "s3://data/users.csv", "s3://out/a.csv"]:
        assert "CD8016" in status(path, "s3://data/reports/")[1], path
    assert "CD8016" in status("s3://data/reports/a.csv", str(tmp_path))[1]


@pytest.fixture
def client(s3: Store) -> Iterator[Client]:
    """Two executors, which have the environment of this process."""
    with LocalCluster(n_workers=2, threads_per_worker=1) as cluster, Client(cluster) as client:
        yield client


def test_executors_read_objects_themselves(s3: Store, client: Client, ours: Any, theirs: pd.DataFrame) -> None:
    frame = dd.read_csv("s3://data/logs/*.csv")
    assert_same(frame.groupby("user_id").size(), theirs.groupby("user_id").size())
    # One object that is cut into pieces, within whose rows there are line ends.
    big = dd.read_csv("s3://data/big.csv")
    assert (big.id.sum().compute(), big.note.nunique().compute()) == (_sum(ROWS), ROWS)

    ours.to_parquet("s3://out/cluster/a.parquet")
    parquet = dd.read_parquet("s3://out/cluster/a.parquet")
    assert_same(parquet.groupby("user_id").amount.sum(), theirs.groupby("user_id").amount.sum())
    ours[["user_id", "amount"]].to_json("s3://out/cluster/a.jsonl")
    lines = dd.read_json("s3://out/cluster/a.jsonl")
    assert_same(lines.groupby("user_id").amount.sum(), theirs.groupby("user_id").amount.sum())
    frame.groupby("user_id").size().rename("n").reset_index().to_csv("s3://out/cluster/sizes.csv")
    written = pd.read_csv(io.BytesIO(s3.get("out", "cluster/sizes.csv")))
    assert_same(in_order(written), in_order(theirs.groupby("user_id").size().rename("n").reset_index()))

    with pytest.raises(ImproperlyConfigured, match=r"(?s)CD8034.*AWS_ACCESS_KEY_ID"):
        dd.read_csv("s3://data/logs/*.csv", storage_options=s3.options).groupby("user_id").size().compute()


def test_a_task_reads_and_writes_below_its_roots(s3: Store, tmp_path: Path) -> None:
    broker = f"sqlite:{tmp_path}/tasks.db"
    app = App("tasks", broker=broker)
    query = "select count(*) as n from 's3://data/logs/*.csv'"

    def sent(out: str, task: str | None = None) -> Any:
        call = app.send_task("cardoon.data.sql", kwargs={"query": query, "out": out}, queue="data", task_id=task)
        return call.get(timeout=60)

    command = [*PROGRAM, "worker", "--broker", broker, "--root", "s3://data/logs", "--root", "s3://out/tasks"]
    with running(*command, environment=os.environ):
        assert sent("s3://out/tasks/n.csv")["rows"] == 1
        assert s3.get("out", "tasks/n.csv") == b"n\n8\n"
        for out in ["s3://out/tasks2/n.csv", "s3://data/users.csv"]:
            with pytest.raises(Exception, match="CD8016"):
                sent(out)
        # A later run of the same task was there: what this one has made is out of date.
        task = str(uuid.uuid4())
        s3.put("out", "tasks/fenced.csv", "n\n77\n")
        s3.put("out", "tasks/.fenced.csv.run", f"99 {task}\n")
        with pytest.raises(Exception, match="later run"):
            sent("s3://out/tasks/fenced.csv", task)
        assert s3.get("out", "tasks/fenced.csv") == b"n\n77\n"
        assert sent("s3://out/tasks/fenced.csv")["rows"] == 1
        assert s3.get("out", "tasks/fenced.csv") == b"n\n8\n"
