"""Requests to a gateway: connections that stay open, answers, errors, streams of events."""

from __future__ import annotations

import http.client
import json
import select
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from cardoon.exceptions import CardoonError, ImproperlyConfigured, NotFound, OperationalError, TimeoutError

#: What is to be done about an error, by the kind that the gateway names.
KINDS: dict[str, type[CardoonError]] = {
    "Invalid": ImproperlyConfigured,
    "NotFound": NotFound,
    "Timeout": TimeoutError,
    "Unavailable": OperationalError,
}


class Frame(NamedTuple):
    """One event of a stream."""

    id: str
    kind: str
    data: str


class Wire:
    """The way to one gateway. Each thread has a connection of its own."""

    def __init__(self, url: str, token: str | None, timeout: float) -> None:
        parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ImproperlyConfigured(
                f"{url!r} is no URL of a gateway", code="CD1004", kind="Invalid", hint="write http://HOST:PORT"
            )
        self.is_tls = parts.scheme == "https"
        self.host = parts.hostname
        self.port = parts.port or (443 if self.is_tls else 80)
        self.base = parts.path.rstrip("/") + "/api/v1"
        self.timeout = timeout
        self.headers = {"Accept": "application/json", "User-Agent": "cardoon-python"}
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"
        self.local = threading.local()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, object] | None = None,
        body: object = None,
        headers: dict[str, str] | None = None,
        patience: float = 0,
    ) -> Any:
        """The answer to a request. ``patience``: seconds that the gateway may take longer than usual."""
        asked = {**self.headers, **(headers or {})}
        data = None
        if body is not None:
            data = json.dumps(body, separators=(",", ":")).encode()
            asked["Content-Type"] = "application/json"
        connection = self.connection(patience)
        try:
            connection.request(method, self.path(path, query), data, asked)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self.unreachable(error, is_sent=method != "GET") from error
        if answer.status >= 400:
            raise failure(answer.status, text)
        return json.loads(text)

    def follow(self, path: str, query: dict[str, object], last: str | None) -> Iterator[Frame]:
        """The events of a stream until it ends or breaks. ``last``: go on after this event."""
        connection = self.open(60)
        headers = {**self.headers, "Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = last
        try:
            connection.request("GET", self.path(path, query), headers=headers)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self.unreachable(error, is_sent=False) from error
        with closing(connection):
            if answer.status >= 400:
                raise failure(answer.status, answer.read())
            # A stream that breaks has ended; whoever wants to goes on after its last event.
            with suppress(OSError, http.client.HTTPException):
                yield from frames(answer)

    def path(self, path: str, query: dict[str, object] | None) -> str:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return f"{self.base}{path}" + (f"?{urlencode(given)}" if given else "")

    def connection(self, patience: float) -> http.client.HTTPConnection:
        """This thread's connection, or a new one if the gateway has closed it."""
        known: http.client.HTTPConnection | None = getattr(self.local, "connection", None)
        if known is not None and known.sock is not None and not is_closed(known):
            known.sock.settimeout(self.timeout + patience)
            return known
        self.close()
        self.local.connection = self.open(self.timeout + patience)
        connection: http.client.HTTPConnection = self.local.connection
        return connection

    def open(self, timeout: float) -> http.client.HTTPConnection:
        if self.is_tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=context)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def close(self) -> None:
        connection = self.local.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def unreachable(self, error: Exception, is_sent: bool) -> CardoonError:
        checked = [f"gateway: {self.host}:{self.port}"]
        if is_sent:
            checked.append("whether it was done is not known")
        hint = "start one: cardoon gateway" if isinstance(error, ConnectionRefusedError) else "repeat it with an idempotency_key"
        return OperationalError(
            "the gateway does not answer", code="CD1001", kind="Unavailable", causes=[str(error)], checked=checked, hint=hint
        )


def is_closed(connection: http.client.HTTPConnection) -> bool:
    """Whether the other side has hung up: nothing else makes an idle connection readable."""
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)


def failure(status: int, text: bytes) -> CardoonError:
    """The error that an answer tells of; one that a proxy on the way wrote has no code of ours."""
    try:
        said: dict[str, Any] = json.loads(text)["error"]
        kind = str(said["kind"])
        return KINDS.get(kind, CardoonError)(
            str(said["message"]),
            code=str(said["code"]),
            kind=kind,
            causes=list(said["causes"]),
            checked=list(said["checked"]),
            hint=said["hint"],
        )
    except (ValueError, KeyError, TypeError):
        return OperationalError(f"the answer has the status {status} and is none of a gateway", code="CD1005", kind="Unavailable")


def frames(answer: http.client.HTTPResponse) -> Iterator[Frame]:
    """Takes a stream of server-sent events apart."""
    fields: dict[str, list[str]] = {}
    for raw in answer:
        line = raw.decode("utf-8").rstrip("\r\n")
        if line:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
            continue
        if "data" in fields:
            yield Frame(fields.get("id", [""])[-1], fields.get("event", ["message"])[-1], "\n".join(fields["data"]))
        fields = {}
