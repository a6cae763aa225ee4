"""A server that answers what a test tells it to."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple

from .waiting import DEADLINE_SECS

#: Bytes to send, or what is done with the connection. Who hangs up says so in a header, or closes it.
Reply = bytes | Callable[[socket.socket], None]


class Request(NamedTuple):
    """A request, and the number of the connection that it came on."""

    connection: int
    head: str
    body: bytes

    def header(self, name: str) -> str | None:
        found = re.search(rf"^{name}: (.*)$", self.head, re.MULTILINE | re.IGNORECASE)
        return found[1].strip() if found else None


class Server:
    """Gives each request the next reply, and all others the last one. ``reads_bodies``: whether it takes more than a request's
    head."""

    def __init__(self, *replies: Reply, port: int = 0, reads_bodies: bool = True) -> None:
        self.replies = list(replies)
        self.reads_bodies = reads_bodies
        self.requests: list[Request] = []
        self.lock = threading.Lock()
        self.connections: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self.listener.getsockname()[1])
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the server and its connections."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(DEADLINE_SECS)
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            number = len(self.connections)
            threading.Thread(target=self._attend, args=(connection, number), daemon=True).start()

    def _attend(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            while True:
                head = b"".join(iter(lines.readline, b"\r\n")).decode("latin-1") if lines.peek(1) else ""
                if not head:
                    return
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                body = lines.read(int(length[1])) if length and self.reads_bodies else b""
                with self.lock:
                    self.requests.append(Request(number, head, body))
                    reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                if not isinstance(reply, bytes):
                    reply(connection)
                    return
                connection.sendall(reply)
                if b"Connection: close" in reply:
                    return


def reply(body: Any, status: int = 200, media: str = "application/json", more: str = "") -> bytes:
    """An answer. ``body``: bytes, or what becomes JSON. ``more``: further lines of its head."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: {media}\r\nContent-Length: {len(text)}\r\n{more}\r\n"
    return head.encode() + text


def stream(*frames: str, media: str = "text/event-stream", goes_on: bool = False) -> Reply:
    """A stream of these frames, which ends after them or goes on until the other side hangs up."""

    def tell(connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunks = "".join(f"{len(frame.encode()):x}\r\n{frame}\r\n" for frame in frames)
        connection.sendall((head + chunks + ("" if goes_on else "0\r\n\r\n")).encode())
        if goes_on:
            connection.recv(1)

    return tell


def silence(connection: socket.socket) -> None:
    """Says nothing until the other side hangs up."""
    connection.recv(1)


def hang_up(connection: socket.socket) -> None:
    """Closes the connection."""
