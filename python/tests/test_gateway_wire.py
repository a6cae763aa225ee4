"""The client of the HTTP gateway, against servers that answer what no gateway should, or do not answer."""

from __future__ import annotations

import builtins
import datetime
import os
import pickle
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import pytest

from cardoon import _gateway_wire
from cardoon.exceptions import (
    CardoonError,
    EncodeError,
    ImproperlyConfigured,
    OperationalError,
    TimeoutError,
)
from cardoon.gateway import Gateway
from helpers.answers import Server, hang_up, reply, silence
from helpers.ports import port_of_nobody
from helpers.waiting import until

SENT = reply({"id": "first"}, 201)
QUEUES = reply({"items": []})

TOO_LARGE = reply(
    {
        "error": {
            "code": "CD2002",
            "kind": "Invalid",
            "message": "the body is larger than 1048576 bytes",
            "causes": [],
            "checked": [],
            "hint": "store the data elsewhere",
        }
    },
    413,
    more="Connection: close\r\n",
)


class Clock(NamedTuple):
    """A clock that stands still."""

    now: float

    def monotonic(self) -> float:
        return self.now


class Interrupt(BaseException):
    """What a signal's handler raises."""


@contextmanager
def interrupting() -> Iterator[Callable[[socket.socket], None]]:
    """A reply that interrupts the test's thread instead of answering."""

    def raise_it(number: int, frame: object) -> None:
        raise Interrupt

    def interrupt(connection: socket.socket) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        silence(connection)

    before = signal.signal(signal.SIGUSR1, raise_it)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_refusal_is_heard_before_the_whole_body_was_sent() -> None:
    with Server(TOO_LARGE, QUEUES, reads_bodies=False) as server, Gateway(server.url) as gateway:
        with pytest.raises(ImproperlyConfigured, match="larger than") as refused:
            gateway.send("tasks.add", ["x" * (32 << 20)])
        assert refused.value.code == "CD2002"
        assert gateway.queues() == []
        assert [request.connection for request in server.requests] == [1, 2]


def test_what_was_sent_in_part_only_was_not_done() -> None:
    with Server(hang_up, reads_bodies=False) as server, Gateway(server.url) as gateway:
        with pytest.raises(OperationalError, match="it was not done") as broken:
            gateway.send("tasks.add", ["x" * (32 << 20)])
        assert "not known" not in str(broken.value)


def test_a_connection_is_kept_unless_the_gateway_refused_a_body_on_it_or_it_was_idle_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unknown = reply({"error": {}}, 404)
    with Server(QUEUES, unknown, unknown, SENT, QUEUES) as server, Gateway(server.url) as gateway:
        gateway.queues()
        for call in (lambda: gateway.get("nobody"), lambda: gateway.retry("nobody", args=[1])):
            with pytest.raises(OperationalError):
                call()
        gateway.send("tasks.add", [1, 2])
        monkeypatch.setattr(_gateway_wire, "time", Clock(time.monotonic() + 9))
        gateway.queues()
        assert [request.connection for request in server.requests] == [1, 1, 1, 2, 3]


def test_a_call_that_was_interrupted_does_not_disturb_the_next_one() -> None:
    with interrupting() as interrupt, Server(interrupt, SENT) as server, Gateway(server.url) as gateway:
        with pytest.raises(Interrupt):
            gateway.wait("some", timeout=30)
        assert gateway.send("tasks.add", [1, 2]) == "first"
        assert [request.connection for request in server.requests] == [1, 2]


def test_a_handler_of_a_signal_may_call_the_gateway_in_the_midst_of_another_call() -> None:
    called: list[str] = []

    def answer_late(connection: socket.socket) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        until(lambda: called, "the handler has called the gateway")
        connection.sendall(QUEUES)

    with Server(answer_late, SENT) as server, Gateway(server.url) as gateway:
        before = signal.signal(signal.SIGUSR1, lambda number, frame: called.append(gateway.send("tasks.add")))
        try:
            assert gateway.queues() == []
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert called == ["first"]


def test_a_header_that_cannot_be_sent_does_not_disturb_the_next_call() -> None:
    with Server(SENT) as server, Gateway(server.url) as gateway:
        with pytest.raises(UnicodeEncodeError):
            gateway._wire.ask("GET", "/queues", "items", headers={"X": "订单"})
        assert gateway.send("tasks.add", [1, 2]) == "first"


def test_a_connection_is_used_again_whatever_its_number() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    files: list[int] = []
    try:
        with Server(QUEUES) as server, Gateway(server.url) as gateway:
            while not files or files[-1] < 1024:
                files.append(os.open(os.devnull, os.O_RDONLY))
            assert gateway.queues() == []
            assert gateway.queues() == []
            assert [request.connection for request in server.requests] == [1, 1]
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_forked_process_has_a_connection_of_its_own() -> None:
    with Server(QUEUES) as server, Gateway(server.url) as gateway:
        gateway.queues()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if gateway.queues() == [] else 2
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        gateway.queues()
        assert [request.connection for request in server.requests] == [1, 2, 1]


@pytest.mark.parametrize(
    "url",
    ["http://h:99999", "http://h:0", "http://h:x", "http://[::1", "redis://h", "", "http://h /", "http://a..b"],
)
def test_what_is_no_url_of_a_gateway_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="is no URL of a gateway") as refused:
        Gateway(url)
    assert refused.value.code == "CD1004"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://u:SECRETPW@h/",
        "http://u:SECRETPW@h/",
        "http://u:SECRETPW/x@h",
        "http://u:SECRETPW@h:99999",
        "ftp://h/?token=SECRETPW",
        "u:SECRETPW@h",
    ],
)
def test_no_password_is_shown(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        Gateway(url)
    assert "SECRETPW" not in str(refused.value) and refused.value.__cause__ is None


def test_a_path_of_a_proxy_stands_before_the_api() -> None:
    with Server(QUEUES) as server, Gateway(f"{server.url}/任务/") as gateway:
        gateway.queues()
        assert server.requests[0].head.startswith("GET /%E4%BB%BB%E5%8A%A1/api/v1/queues ")


def test_a_token_is_stripped_and_one_that_cannot_be_sent_is_not_shown() -> None:
    with Server(QUEUES) as server:
        Gateway(server.url, token=" cdn_X\n").queues()
        Gateway(server.url, token="\n").queues()
        assert [request.header("Authorization") for request in server.requests] == ["Bearer cdn_X", None]
    for token in ("cdn_SECRET\r\nX: y", "cdn_SECRET令", "cdn_SECRET cdn_SECRET"):
        with pytest.raises(ImproperlyConfigured, match="CD7001") as refused:
            Gateway("http://127.0.0.1", token=token)
        assert "SECRET" not in str(refused.value)


def test_an_idempotency_key_is_checked_before_anything_is_sent() -> None:
    with Server(SENT) as server, Gateway(server.url) as gateway:
        gateway.send("tasks.add", idempotency_key=" order-42\n")
        assert server.requests[0].header("Idempotency-Key") == "order-42"
        for key in ("订单-42", "", "a\nb", "x" * 256):
            with pytest.raises(ImproperlyConfigured, match="idempotency_key") as refused:
                gateway.send("tasks.add", idempotency_key=key)
            assert refused.value.code == "CD7005"
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<html>moved</html>", 302, "text/html", "Location: https://elsewhere/login?next=SECRET\r\n"),
        reply(b"<html>hello</html>", 200, "text/html"),
        reply([1, 2]),
        reply({"ok": True}),
        reply(b"\xff\xfe"),
        reply(b"[" * 100_000),
        reply(b"<html>no</html>", 418, "text/html"),
        b"-ERR unknown command 'GET'\r\n",
    ],
    ids=["redirect", "page", "list", "other object", "no UTF-8", "deep", "status", "no HTTP"],
)
def test_what_is_no_answer_of_a_gateway_is_told_so(answer: bytes) -> None:
    with Server(answer) as server, Gateway(server.url) as gateway:
        with pytest.raises(OperationalError, match="is no gateway") as found:
            gateway.queues()
        assert found.value.code == "CD1010"
        assert "SECRET" not in str(found.value)
        with pytest.raises(OperationalError, match="whether it was done is not known"):
            gateway.send("tasks.add", [1, 2])


def test_a_redirect_tells_where_it_leads() -> None:
    moved = reply(b"", 301, "text/html", "Location: https://elsewhere/\r\n")
    with Server(moved) as server, pytest.raises(OperationalError, match="leads to: https://elsewhere/"):
        Gateway(server.url).queues()


@pytest.mark.parametrize(
    ("status", "code", "is_timeout"), [(502, "CD1005", False), (503, "CD1001", False), (504, "CD1005", True)]
)
def test_what_a_proxy_says_of_the_gateway_is_to_be_tried_again(status: int, code: str, is_timeout: bool) -> None:
    with Server(reply(b"<html>", status, "text/html")) as server, pytest.raises(OperationalError) as found:
        Gateway(server.url).queues()
    assert found.value.code == code
    assert isinstance(found.value, TimeoutError) == is_timeout


@pytest.mark.parametrize("status", [400, 414, 431])
def test_a_request_that_the_gateway_cannot_take_apart_is_told_so(status: int) -> None:
    with Server(reply(b"", status)) as server, pytest.raises(ImproperlyConfigured, match="too long") as found:
        Gateway(server.url).get("x" * 10_000)
    assert found.value.code == "CD7005"


def test_a_timeout_may_be_a_timedelta_and_is_more_than_nothing() -> None:
    with Server(silence) as server, pytest.raises(TimeoutError, match="within 0.05 s"):
        Gateway(server.url, timeout=datetime.timedelta(milliseconds=50)).queues()
    for wrong in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="timeout is"):
            Gateway(timeout=wrong)
    with pytest.raises(TypeError, match="timeout is"):
        Gateway(timeout="30")  # type: ignore[arg-type]


def test_an_argument_that_is_no_json_is_told_with_its_place() -> None:
    now = datetime.datetime.now(datetime.timezone.utc)
    itself: list[Any] = []
    itself.append(itself)
    calls: list[tuple[Any, dict[str, Any] | None, str]] = [
        ([1, {"when": [now]}], None, r"args\[1\]\['when'\]\[0\] is of type datetime"),
        ((), {"rate": float("nan")}, r"kwargs\['rate'\] is nan"),
        ([{(1, 2): 3}], None, r"args\[0\] has keys that are no texts"),
        ([0, itself], None, r"args is nested deeper than 120, or holds itself"),
    ]
    with Server(SENT) as server, Gateway(server.url) as gateway:
        for args, kwargs, words in calls:
            with pytest.raises(EncodeError, match=words) as refused:
                gateway.send("tasks.add", args, kwargs)
            assert refused.value.code == "CD2006"
        with pytest.raises(EncodeError, match=r"headers\['at'\]"):
            gateway.send("tasks.add", headers={"at": now})
        with pytest.raises(EncodeError, match=r"args\[0\]"):
            gateway.retry("some", args=[now])
        assert server.requests == []


def test_who_is_not_there_was_sent_nothing() -> None:
    with port_of_nobody() as port, pytest.raises(OperationalError, match="nothing was sent") as refused:
        Gateway(f"http://127.0.0.1:{port}").send("tasks.add", [1, 2])
    assert refused.value.code == "CD1001" and refused.value.hint == "start one: cardoon gateway"
    assert "not known" not in str(refused.value)


def test_a_name_that_is_not_known_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(OperationalError, match="the name gateway.example is not known") as error:
        Gateway("http://gateway.example").send("tasks.add", [1, 2])
    assert error.value.code == "CD1008"
    assert "idempotency" not in str(error.value)


def test_a_server_without_tls_is_told_so() -> None:
    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with suppress(OSError), connection:
            connection.recv(1)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            while connection.recv(4096):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        with pytest.raises(OperationalError, match=f"write http://127.0.0.1:{port}") as found:
            Gateway(f"https://127.0.0.1:{port}").send("tasks.add", [1, 2])
    assert "nothing was sent" in str(found.value)


def fails(call: Callable[[Gateway], object], timeout: float = 0.05) -> CardoonError:
    """How a call fails that nobody answers."""
    with Server(silence) as server, pytest.raises(OperationalError) as failed:
        call(Gateway(server.url, timeout=timeout))
    return failed.value


def test_whoever_does_not_answer_in_time_is_a_timeout_and_an_operational_error() -> None:
    error = fails(lambda gateway: gateway.queues())
    assert isinstance(error, TimeoutError) and isinstance(error, builtins.TimeoutError)
    assert isinstance(error, OperationalError) and error.code == "CD1005"
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error)


def test_the_hint_fits_what_was_asked() -> None:
    question = str(fails(lambda gateway: gateway.queues()))
    assert "try again" in question and "idempotency" not in question and "not known" not in question
    keyed = str(fails(lambda gateway: gateway.send("tasks.add", idempotency_key="order-42")))
    assert "whether it was done is not known" in keyed and "same idempotency_key" in keyed
    bare = str(fails(lambda gateway: gateway.send("tasks.add")))
    assert "whether it was done is not known" in bare and "cardoon task list" in bare
    other = str(fails(lambda gateway: gateway.purge("celery")))
    assert "look at what was done" in other and "idempotency" not in other


def test_a_broken_connection_is_no_timeout() -> None:
    with Server(hang_up) as server, pytest.raises(OperationalError, match="broke before") as broken:
        Gateway(server.url).send("tasks.add", [1, 2])
    assert not isinstance(broken.value, TimeoutError)
    assert "whether it was done is not known" in str(broken.value)
