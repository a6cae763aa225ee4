"""A server between a client and a store, which passes on what it is asked and may do something before."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import urlsplit

#: What belongs to one connection and not to the other.
_OF_CONNECTION = {"connection", "transfer-encoding", "content-length"}


@dataclass
class Between:
    """What was asked. ``before`` is called with the method and the path of each request; a status that it answers is
    answered to the client, and the store is not asked."""

    endpoint: str = ""
    before: Callable[[str, str], int | None] = lambda method, path: None
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def count(self, method: str, path: str) -> int:
        """How many requests there were that begin so."""
        with self.lock:
            return sum(each == method and of.startswith(path) for each, of, _ in self.seen)


@contextmanager
def between(store: str) -> Iterator[Between]:
    """Listens at a free port for requests to the store at this URL."""
    state = Between()
    target = urlsplit(store).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with state.lock:
                state.seen.append((self.command, self.path, self.headers.get("Range")))
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status = state.before(self.command, self.path)
            if status is not None:
                self._answer(status, {}, b"")
                return
            connection = http.client.HTTPConnection(target, timeout=60)
            try:
                # The host stays that of this server, since it is signed.
                connection.request(self.command, self.path, body, dict(self.headers.items()))
                answer = connection.getresponse()
                self._answer(answer.status, dict(answer.headers.items()), answer.read())
            finally:
                connection.close()

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
            for name, value in headers.items():
                if name.lower() not in _OF_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.endpoint = f"http://127.0.0.1:{server.server_port}"
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            yield state
        finally:
            server.shutdown()
            serving.join(10)
