"""A small web site on a free port of this machine. It counts who asks for what."""

from __future__ import annotations

import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Every so many pages, the first request for one is cut off without an answer.
CUT_OFF_EVERY = 10


class Server(ThreadingHTTPServer):
    #: Connections that wait to be taken. With the default of 5, twenty callers at once would wait for each other.
    request_queue_size = 100


class Site:
    """Pages 0 to `pages - 1`. Each links to two more, to the first one, and to the page before it."""

    def __init__(self, pages: int, seconds_per_page: float) -> None:
        self.pages = pages
        self.seconds_per_page = seconds_per_page
        self.asked: Counter[int] = Counter()
        self.served: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def links(self, page: int) -> list[int]:
        ahead = [number for number in (2 * page + 1, 2 * page + 2) if number < self.pages]
        return [*ahead, 0, max(0, page - 1)]

    def cuts_off(self, page: int) -> bool:
        """Notes that somebody asks. Whether he gets no answer."""
        with self._lock:
            self.asked[page] += 1
            return page % CUT_OFF_EVERY == CUT_OFF_EVERY - 1 and self.asked[page] == 1

    def note_served(self, page: int) -> None:
        """Notes that an answer is ready, also for somebody who was killed while it was made."""
        with self._lock:
            self.served[page] += 1

    def fetched(self) -> int:
        """How many different pages were answered."""
        with self._lock:
            return len(self.served)

    def _handler(site) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the request's below.
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.removeprefix("/page/")
                if not name.isdigit() or int(name) >= site.pages:
                    self.send_error(404)
                elif not site.cuts_off(int(name)):
                    time.sleep(site.seconds_per_page)
                    site.note_served(int(name))
                    self.answer(int(name))

            def answer(self, page: int) -> None:
                links = "".join(f'<a href="/page/{number}">{number}</a>\n' for number in site.links(page))
                body = f"<h1>Page {page}</h1>\n{links}".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing: the program that started the site counts."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    pass  # The worker that asked was killed.

        return Handler

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
