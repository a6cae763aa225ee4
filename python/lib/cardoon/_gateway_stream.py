"""Streams of server-sent events, which go on where a connection broke."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from typing import Any, NamedTuple

from cardoon import _gateway_checks as checks
from cardoon import _gateway_errors as errors
from cardoon._gateway_errors import Answer, Request
from cardoon._gateway_wire import Wire
from cardoon.exceptions import CardoonError, OperationalError

#: Streams are not asked for more often, in seconds.
RECONNECT_SECS = 0.5

#: A gateway says something every 15 seconds. One that is silent for so many is gone.
SILENT_SECS = 60.0

#: So much is read of an answer that is no stream.
_MOST_BYTES = 64 << 10


class Event(NamedTuple):
    """What a stream tells. ``id``: the place after it."""

    id: str
    kind: str
    data: dict[str, Any]


class Frame(NamedTuple):
    """A part of a stream: an event, or without ``data`` only the place that was reached."""

    id: str
    kind: str
    data: str | None


def follow(
    wire: Wire, path: str, query: dict[str, object], after: str | None, reconnect: float
) -> Iterator[Event]:
    """The events of a stream, from the place ``after`` on.

    Once there was a stream, its end and what may pass is waited for up to ``reconnect`` seconds. Raises as
    :meth:`Wire.ask`; for an answer that is no stream too, :class:`~cardoon.exceptions.OperationalError` (CD1010).
    """
    # When the last stream ended; None before the first.
    ended: float | None = None
    while True:
        begun = time.monotonic()
        left = wire.timeout if ended is None else max(ended + reconnect - begun, RECONNECT_SECS)
        try:
            stream = Stream(wire, path, query, after, min(left, wire.timeout))
        except OperationalError:
            if ended is None or time.monotonic() >= ended + reconnect:
                raise
        else:
            for frame in stream.frames():
                after = frame.id or after
                if frame.data is not None:
                    yield Event(after or "", frame.kind, told(stream.request, frame.data))
            ended = time.monotonic()
        # Who hangs up at once is not asked again at once.
        time.sleep(max(0.0, begun + RECONNECT_SECS - time.monotonic()))


class Stream:
    """A stream that has begun. ``secs``: how long the connection may take, and the answer's beginning."""

    def __init__(self, wire: Wire, path: str, query: dict[str, object], after: str | None, secs: float) -> None:
        self.pid = os.getpid()
        self.request = Request(wire.place, "GET", path)
        headers = {**wire.headers, "Accept": "text/event-stream", **checks.last_event(after)}
        self.connection = wire.open(secs)
        try:
            # The answer may take it over from the connection.
            sock = self.connection.sock
            self.connection.request("GET", wire.target(path, query), headers=headers)
            self.answer = self.connection.getresponse()
            check(self.request, self.answer)
            sock.settimeout(SILENT_SECS)
        except CardoonError:
            self.connection.close()
            raise
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise errors.not_answered(self.request, error, secs) from error
        except BaseException:
            self.connection.close()
            raise

    def frames(self) -> Iterator[Frame]:
        """What comes until the stream ends or breaks. In a process forked from this one it ends: there would be two readers."""
        with closing(self.connection), closing(self.answer), suppress(OSError, http.client.HTTPException):
            for frame in frames(self.answer):
                yield frame
                if os.getpid() != self.pid:
                    return


def check(request: Request, answer: http.client.HTTPResponse) -> None:
    """Raises unless the answer is a stream of events."""
    media = answer.getheader("Content-Type", "").partition(";")[0].strip().lower()
    if answer.status == 200 and media == "text/event-stream":
        return
    if answer.status < 300:
        # It may go on for ever: what has come shows what it is.
        raise errors.no_answer_of_ours(request, Answer(answer.status, answer.headers, answer.read1(_MOST_BYTES)))
    raise errors.refused(request, Answer(answer.status, answer.headers, answer.read(_MOST_BYTES)))


def told(request: Request, data: str) -> dict[str, Any]:
    """What an event tells: a JSON object."""
    try:
        read: Any = json.loads(data)
    except (ValueError, RecursionError):
        read = None
    if isinstance(read, dict):
        return read
    raise errors.other_service(request, f"an event is no JSON object: {data[:60]!r}")


def frames(lines: Iterable[bytes]) -> Iterator[Frame]:
    """Takes a stream of server-sent events apart."""
    fields: dict[str, list[str]] = {}
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if line:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
            continue
        if "data" in fields or "id" in fields:
            data = "\n".join(fields["data"]) if "data" in fields else None
            yield Frame(fields.get("id", [""])[-1], fields.get("event", ["message"])[-1], data)
        fields = {}
