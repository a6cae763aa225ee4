"""Streams of events over the gateway's client: where they go on, and when they end."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from typing import Any

import pytest

from cardoon import _gateway_stream
from cardoon.exceptions import CardoonError, ImproperlyConfigured, OperationalError, TimeoutError
from cardoon.gateway import Gateway
from helpers.answers import Server, reply, silence, stream

LISTENING = "id: 7-1\n: listening\n\n"


def event(place: str, number: int) -> str:
    return f'id: {place}\nevent: task-sent\ndata: {{"number": {number}}}\n\n'


class Clock:
    """A clock that goes on when somebody sleeps. ``then``: what happens during each sleep, one after another."""

    def __init__(self, *then: Callable[[], object]) -> None:
        self.now = 1000.0
        self.then = list(then)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, secs: float) -> None:
        self.now += secs
        if self.then:
            self.then.pop(0)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_gateway_stream, "time", clock)
    return clock


def test_a_stream_goes_on_after_the_last_event_when_the_gateway_is_there_again(clock: Clock) -> None:
    first = Server(stream(LISTENING, event("7-2", 1)))
    events = Gateway(first.url).events()
    assert next(events) == {"id": "7-2", "kind": "task-sent", "data": {"number": 1}}
    started: list[Server] = []

    def start() -> None:
        started.append(Server(stream(event("7-3", 2), goes_on=True), port=first.port))

    # At the end of the first stream it goes away; the second attempt is refused, the fourth one is not.
    clock.then = [first.close, lambda: None, start]
    assert next(events)["data"] == {"number": 2}
    assert started[0].requests[0].header("Last-Event-ID") == "7-2"
    events.close()  # type: ignore[attr-defined]
    started[0].close()


def test_the_place_before_the_first_event_is_kept(clock: Clock) -> None:
    with Server(stream(LISTENING), stream(event("7-2", 1))) as server:
        assert next(Gateway(server.url).events())["id"] == "7-2"
        assert [request.header("Last-Event-ID") for request in server.requests] == [None, "7-1"]


def test_an_event_without_an_id_has_that_of_the_place_reached(clock: Clock) -> None:
    with Server(stream(LISTENING, 'data: {"number": 1}\n\n', "retry: 5\n\n", event("7-2", 2), goes_on=True)) as server:
        events = Gateway(server.url).events()
        assert [next(events)["id"], next(events)["id"]] == ["7-1", "7-2"]


def test_the_first_connection_is_not_waited_for(clock: Clock) -> None:
    server = Server(silence)
    server.close()
    with pytest.raises(OperationalError, match="cannot be reached"):
        next(Gateway(server.url).events())
    assert clock.now == 1000


@pytest.mark.parametrize("reconnect", [0, 20])
def test_a_gateway_that_stays_away_is_told_when_the_time_is_over(clock: Clock, reconnect: float) -> None:
    server = Server(stream(event("7-2", 1)))
    events = Gateway(server.url).events(reconnect=reconnect)
    next(events)
    clock.then = [server.close]
    with pytest.raises(OperationalError, match="cannot be reached"):
        next(events)
    assert clock.now == pytest.approx(1000.5 + max(0, reconnect - 0.5), abs=0.6)


def test_what_a_proxy_says_while_the_gateway_restarts_is_passed_over(clock: Clock) -> None:
    away = reply(b"<html>bad gateway</html>", 502, "text/html")
    with Server(stream(event("7-2", 1)), away, away, stream(event("7-3", 2))) as server:
        events = Gateway(server.url).events()
        assert [next(events)["id"], next(events)["id"]] == ["7-2", "7-3"]


def test_what_the_gateway_refuses_ends_the_stream_at_once(clock: Clock) -> None:
    said: dict[str, Any] = {"causes": [], "checked": [], "hint": None}
    said.update(code="CD7001", kind="Invalid", message="the gateway does not know the token")
    with Server(stream(event("7-2", 1)), reply({"error": said}, 401)) as server:
        events = Gateway(server.url).events()
        next(events)
        with pytest.raises(CardoonError, match="CD7001"):
            next(events)
        assert len(server.requests) == 2


def test_a_page_that_is_no_stream_is_told_so() -> None:
    page = stream("<html>\n\n", media="text/html", goes_on=True)
    for answer in (page, reply(b"<html>", 200, "text/html"), reply({"items": []}), reply(b"", 302, "text/html")):
        with Server(answer) as server, pytest.raises(OperationalError, match="is no gateway") as found:
            next(Gateway(server.url).events())
        assert found.value.code == "CD1010"


def test_an_event_that_is_no_json_object_is_told_so() -> None:
    with Server(stream("data: hello\n\n")) as server, pytest.raises(OperationalError, match="no JSON object"):
        next(Gateway(server.url).events())


def test_the_beginning_of_a_stream_takes_no_longer_than_the_timeout() -> None:
    with Server(silence) as server, pytest.raises(TimeoutError, match="within 0.05 s"):
        next(Gateway(server.url, timeout=0.05).events())


def test_a_stream_may_be_silent_for_longer_than_the_timeout() -> None:
    def tell_late(connection: socket.socket) -> None:
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        connection.sendall((head + event("7-2", 1)).encode())
        # Who gives up hangs up.
        if not select.select([connection], [], [], 2.5)[0]:
            connection.sendall(event("7-3", 2).encode())

    with Server(tell_late) as server:
        # The stream itself has to begin in time, also on a busy machine.
        events = Gateway(server.url, timeout=2).events()
        assert [next(events)["id"], next(events)["id"]] == ["7-2", "7-3"]
        assert len(server.requests) == 1


def test_an_id_that_is_none_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="after is"):
        next(Gateway("http://127.0.0.1:9").events(after="7\n2"))


def test_a_forked_process_reads_a_stream_of_its_own(clock: Clock) -> None:
    begun = stream(event("7-2", 1), event("7-3", 2), goes_on=True)
    with Server(begun, stream(event("7-3", 2), goes_on=True)) as server:
        events = Gateway(server.url).events()
        next(events)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if next(events)["id"] == "7-3" else 2
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert next(events)["id"] == "7-3"
        assert [request.header("Last-Event-ID") for request in server.requests] == [None, "7-2"]
