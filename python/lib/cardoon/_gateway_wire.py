"""Requests to a gateway, on connections that stay open."""

from __future__ import annotations

import http.client
import json
import os
import select
import ssl
import threading
import time
from typing import Any, NamedTuple
from urllib.parse import urlencode

from cardoon import _gateway_checks as checks
from cardoon import _gateway_errors as errors
from cardoon import _gateway_json
from cardoon._gateway_checks import Seconds
from cardoon._gateway_errors import Answer, Request

#: A gateway closes connections that are idle for 10 seconds. One that is about to be closed is not used any more.
_IDLE_SECS = 8.0


class Kept(NamedTuple):
    """A connection of a thread, the process that opened it, and when it was used last."""

    connection: http.client.HTTPConnection
    pid: int
    used: float

    def is_usable(self) -> bool:
        is_fresh = self.pid == os.getpid() and time.monotonic() < self.used + _IDLE_SECS
        return is_fresh and self.connection.sock is not None and not is_readable(self.connection)


class Wire:
    """The way to one gateway. Each thread of each process has a connection of its own. ``timeout``: seconds for a connection,
    and for an answer."""

    def __init__(self, url: str, token: str | None, timeout: Seconds) -> None:
        self.place = checks.place(url)
        self.timeout = checks.timeout("timeout", timeout)
        self.headers = {"Accept": "application/json", "User-Agent": "cardoon-python", **checks.bearer(token)}
        self.local = threading.local()

    def ask(
        self,
        method: str,
        path: str,
        wants: str,
        *,
        query: dict[str, object] | None = None,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        patience: float = 0,
    ) -> dict[str, Any]:
        """The answer to a request: an object with the field ``wants``. ``patience``: seconds that the gateway may take longer
        than usual.

        Raises what the gateway refuses with, ``OperationalError`` if it cannot be reached or something else answers, and an
        ``OperationalError`` that is a ``TimeoutError`` too if it does not answer in time.
        """
        asked = {**self.headers, **(headers or {})}
        data = None
        if body is not None:
            data = _gateway_json.written(body)
            asked["Content-Type"] = "application/json"
        request = Request(self.place, method, path, "Idempotency-Key" in asked)
        answer = self.exchange(request, self.target(path, query), data, asked, self.timeout + patience)
        if not 200 <= answer.status < 300:
            raise errors.refused(request, answer)
        try:
            read: Any = json.loads(answer.text)
        except (ValueError, RecursionError):
            read = None
        if not isinstance(read, dict) or wants not in read:
            raise errors.no_answer_of_ours(request, answer)
        return read

    def exchange(
        self, request: Request, target: str, data: bytes | None, headers: dict[str, str], secs: float
    ) -> Answer:
        """Sends a request on this thread's connection and reads the answer. Each may take so many seconds."""
        connection = self.connection(secs)
        is_whole = is_kept = False
        try:
            is_whole = is_sent(connection, request.method, target, data, headers)
            answer = connection.getresponse()
            read = Answer(answer.status, answer.headers, answer.read())
            # Who refuses a body may not have read it, and hangs up then.
            is_kept = is_whole and (data is None or answer.status < 400)
        except (OSError, http.client.HTTPException) as error:
            raise errors.not_answered(request, error, secs, is_whole) from error
        finally:
            # After a signal, or a task's time limit, the answer to this request would be taken for that to the next one.
            if not is_kept:
                connection.close()
        self.local.kept = Kept(connection, os.getpid(), time.monotonic())
        return read

    def target(self, path: str, query: dict[str, object] | None) -> str:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return f"{self.place.base}{path}" + (f"?{urlencode(given)}" if given else "")

    def connection(self, secs: float) -> http.client.HTTPConnection:
        """This thread's connection, which is kept again after its use; a new one if the gateway has closed it or another process
        opened it."""
        kept = self.take()
        if kept is not None and kept.is_usable():
            kept.connection.sock.settimeout(secs)
            return kept.connection
        if kept is not None:
            kept.connection.close()
        connection = self.open(self.timeout)
        connection.sock.settimeout(secs)
        return connection

    def open(self, secs: float) -> http.client.HTTPConnection:
        """A new connection, within so many seconds."""
        connection = http.client.HTTPConnection(self.place.host, self.place.port, timeout=secs)
        try:
            if self.place.is_tls:
                context = ssl.create_default_context()
                connection = http.client.HTTPSConnection(
                    self.place.host, self.place.port, timeout=secs, context=context
                )
            connection.connect()
        except OSError as error:
            connection.close()
            raise errors.not_connected(self.place, error) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Closes this thread's connection."""
        kept = self.take()
        if kept is not None:
            kept.connection.close()

    def take(self) -> Kept | None:
        kept: Kept | None = self.local.__dict__.pop("kept", None)
        return kept


def is_sent(
    connection: http.client.HTTPConnection, method: str, target: str, data: bytes | None, headers: dict[str, str]
) -> bool:
    """Whether all of a request could be sent. Who refuses one answers before its end and hangs up: there may be an answer in
    both cases."""
    try:
        connection.request(method, target, data, headers)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def is_readable(connection: http.client.HTTPConnection) -> bool:
    """Whether the other side has hung up: nothing else makes an idle connection readable."""
    if not hasattr(select, "poll"):
        return bool(select.select([connection.sock], [], [], 0)[0])
    # Unlike `select` it takes sockets of any number.
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
