"""The line between a worker and its zygote: four bytes of length, then JSON."""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Line:
    """The zygote's end."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def say(self, word: Any, handles: list[int] | None = None) -> None:
        """Sends ``word``, with open files beside it."""
        text = json.dumps(word, ensure_ascii=False).encode("utf-8", "replace")
        frame = struct.pack("<I", len(text)) + text
        if handles:
            sent = socket.send_fds(self._socket, [frame], handles)
            frame = frame[sent:]
        # Not even nothing can be sent to a worker that has all it wants and has closed its end.
        if frame:
            self._socket.sendall(frame)

    def has_word(self, secs: float) -> bool:
        """Waits so long for a word, or for the worker's end."""
        return bool(select.select([self._socket], [], [], secs)[0])

    def hear(self) -> Any:
        """Waits for a word; None when the worker is gone."""
        head = self._read(4)
        body = self._read(struct.unpack("<I", head)[0]) if head is not None else None
        return None if body is None else json.loads(body)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While nobody hears: the kernel ends this process when the worker is gone, by SIGIO. The worker must say nothing
        meanwhile."""
        number = self._socket.fileno()
        flags = fcntl.fcntl(number, fcntl.F_GETFL)
        fcntl.fcntl(number, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(number, fcntl.F_SETFL, flags | os.O_ASYNC)
        yield
        fcntl.fcntl(number, fcntl.F_SETFL, flags)

    def close(self) -> None:
        self._socket.close()

    def _read(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            if not more:
                return None
            data += more
        return data
