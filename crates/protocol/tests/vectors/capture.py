"""Captures what Celery writes to Redis, as the files of `messages/` (from 30 on) and `results/`.

    python capture.py REDIS_SERVER FOLDER

Needs `pip install 'celery[redis,msgpack,yaml]' backports.zstd`. Starts a Redis of its own on a free port, and a worker in this
process for the results, and ends both. Ids and times differ from run to run, so a new capture is a new set of data.
"""

import base64
import datetime
import decimal
import json
import pathlib
import socket
import subprocess
import sys
import time
import uuid

import celery
import kombu
from celery.contrib.testing.worker import start_worker


def main(redis_server, folder):
    folder = pathlib.Path(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [redis_server, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], stdout=subprocess.DEVNULL
    )
    try:
        app = make_app(port)
        wait_for(lambda: app.backend.client.ping())
        capture_messages(app, folder / "messages")
        capture_results(app, folder / "results")
    finally:
        server.terminate()
        server.wait()


def make_app(port):
    app = celery.Celery("cap", broker=f"redis://127.0.0.1:{port}/0", backend=f"redis://127.0.0.1:{port}/1")
    app.conf.update(
        result_extended=True, worker_hijack_root_logger=False, broker_connection_retry_on_startup=True,
        accept_content=["json", "msgpack", "yaml"],
    )

    @app.task(name="cap.echo")
    def echo(*args, **kwargs):
        return args[0] if args else kwargs

    @app.task(name="cap.fail")
    def fail(kind):
        if kind == "value":
            raise ValueError("no good", 7)
        if kind == "own":
            raise OwnError("of our own")
        raise KeyError(kind)

    @app.task(name="cap.again", bind=True, max_retries=3)
    def again(self):
        raise self.retry(exc=RuntimeError("not yet"), countdown=3600)

    @app.task(name="cap.silent", ignore_result=True)
    def silent():
        return 1

    @app.task(name="cap.progress", bind=True)
    def progress(self):
        self.update_state(state="PROGRESS", meta={"done": 3, "total": 10})
        raise celery.exceptions.Ignore()

    return app


class OwnError(Exception):
    pass


def values():
    return [
        datetime.datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc),
        datetime.date(2030, 1, 2),
        b"plain",
        b"\xff\x00",
        [1, -2, 2.5, 1e20, None, True, 2**63],
        {"\u4e2d\u6587": "a\nb", "yes": "no", "n": "1:30", "": []},
    ]


def capture_messages(app, folder):
    shared = [1, {"a": "b"}]
    text = "x" * 500
    plain = {"serializer": "yaml"}
    json_values = [*values(), decimal.Decimal("1.50"), uuid.UUID(int=0x12345678123456781234567812345678)]
    cases = [
        ("30_yaml", "cap.echo", values(), {"key": [1, {"b": None}]}, plain),
        ("31_yaml_anchors", "cap.echo", [shared, shared], {"again": shared}, plain),
        ("32_msgpack_types", "cap.echo", values()[2:], {"key": [1, {"b": None}]}, {"serializer": "msgpack"}),
        ("33_json_types", "cap.echo", json_values, {}, {}),
        ("34_bz2", "cap.echo", [text], {}, {"compression": "bzip2"}),
        ("35_xz", "cap.echo", [text], {}, {"compression": "lzma"}),
        ("36_zstd", "cap.echo", [text], {}, {"compression": "zstd"}),
        ("37_yaml_zstd", "cap.echo", [text], {}, {"compression": "zstd", **plain}),
        ("38_msgpack_xz", "cap.echo", [text], {}, {"compression": "lzma", "serializer": "msgpack"}),
        ("39_retry", "cap.echo", [2, 3], {}, {"retries": 2, "countdown": 60, "headers": {"x-custom": {"deep": [1]}}}),
    ]
    for name, task, args, kwargs, options in cases:
        capture_message(app, folder, name, task, args, kwargs, options)
    app.conf.task_protocol = 1
    app.__dict__.pop("amqp", None)
    timed = {"countdown": 60, "expires": 3600, "time_limit": 30, "soft_time_limit": 20, "retries": 2}
    old = [
        ("40_v1", "cap.echo", [2, 3], {"a": "b"}, {}),
        ("41_v1_options", "cap.echo", [2, 3], {}, timed),
        ("42_v1_msgpack", "cap.echo", [b"\xff\x00"], {}, {"serializer": "msgpack"}),
        ("43_v1_yaml_bz2", "cap.echo", [datetime.date(2030, 1, 2)], {}, {"compression": "bzip2", **plain}),
        ("44_v1_link", "cap.echo", [2], {}, {"link": app.signature("cap.echo", args=[1])}),
    ]
    for name, task, args, kwargs, options in old:
        capture_message(app, folder, name, task, args, kwargs, options)
    app.conf.task_protocol = 2
    app.__dict__.pop("amqp", None)


def capture_message(app, folder, name, task, args, kwargs, options):
    client = redis_client(app)
    client.flushdb()
    app.send_task(task, args=args, kwargs=kwargs, **options)
    raw = [element.decode() for element in client.lrange("celery", 0, -1)]
    client.flushdb()
    messages = []
    for element in raw:
        envelope = json.loads(element)
        body = base64.b64decode(envelope["body"])
        messages.append({
            "list_key": "celery", "raw": element, "envelope": envelope, "body_bytes_b64": envelope["body"],
            "body_decoded_text": as_text(body),
        })
    note = f"send_task({task!r}, args={args!r}, kwargs={kwargs!r}, protocol={app.conf.task_protocol}, {options!r})"
    write(folder / f"{name}.json", {"name": name, "note": note, "versions": versions(), "messages": messages})


def capture_results(app, folder):
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        capture_result(app, folder, "50_success", "cap.echo", [[1, "\u4e2d\u6587", None]])
        capture_result(app, folder, "51_none", "cap.echo", [None])
        capture_result(app, folder, "52_types", "cap.echo", [values()[:4] + [decimal.Decimal("1.50")]])
        capture_result(app, folder, "53_failure_builtin", "cap.fail", ["value"])
        capture_result(app, folder, "54_failure_own", "cap.fail", ["own"])
        capture_result(app, folder, "55_failure_key", "cap.fail", ["missing"])
        capture_result(app, folder, "56_retry", "cap.again", [])
        capture_result(app, folder, "57_ignored", "cap.silent", [], expected=False)
        capture_result(app, folder, "58_custom_state", "cap.progress", [])
        expired = {"expires": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)}
        capture_result(app, folder, "59_expired", "cap.echo", [1], **expired)
        app.conf.result_extended = False
        capture_result(app, folder, "60_success_not_extended", "cap.echo", [7])
    for number, compression in enumerate(["gzip", "bzip2", "lzma", "zstd"], start=61):
        # A worker's backend reads the setting when its thread begins.
        app.conf.result_compression = compression
        with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
            capture_result(app, folder, f"{number}_success_{compression}", "cap.echo", ["x" * 200])


def capture_result(app, folder, name, task, args, expected=True, **options):
    backend = app.backend
    task_id = str(uuid.uuid4())
    app.send_task(task, args=args, task_id=task_id, **options).forget()
    key = backend.get_key_for_task(task_id)
    if expected:
        wait_for(lambda: backend.client.get(key))
    else:
        done = app.send_task("cap.echo", args=[0])
        wait_for(lambda: backend.client.get(backend.get_key_for_task(done.id)))
    stored = backend.client.get(key)
    content = {"name": name, "note": f"{task} with {args!r}", "versions": versions(), "task_id": task_id}
    stored_b64 = stored and base64.b64encode(shortened(stored)).decode()
    content.update(key=key.decode(), stored_b64=stored_b64, stored_text=stored and as_text(shortened(stored)))
    write(folder / f"{name}.json", content)


def shortened(stored):
    """Where things lie on the machine of the capture is of no interest."""
    for path in sorted({*sys.path, str(pathlib.Path(__file__).parent.resolve())}, key=len, reverse=True):
        if path:
            stored = stored.replace(path.encode() + b"/", b"")
    return stored


def redis_client(app):
    with app.connection_for_read() as connection:
        return connection.default_channel.client


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = condition()
        except Exception:
            found = None
        if found:
            return
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


def as_text(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def versions():
    return f"celery {celery.__version__}, kombu {kombu.__version__}"


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
