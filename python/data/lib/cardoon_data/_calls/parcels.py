"""Bytes that travel with a message, or beside it in a file if they are many."""

from __future__ import annotations

import contextlib
import os
import uuid
import weakref
from pathlib import Path

from cardoon_data._calls.seal import Seal

#: More bytes go through a file, where client and workers share a folder.
LARGE = 256 * 1024


class Parcel:
    """Bytes, or the name of the file that has them. The file is removed with the last parcel of its name in the process
    that keeps it."""

    def __init__(self, content: bytes | str) -> None:
        #: What stands for it in a message.
        self.content = content


class Parcels:
    """Packs bytes and unpacks them. Without a ``folder`` that both sides see they all travel in messages."""

    def __init__(self, seal: Seal, folder: Path | None) -> None:
        self._seal = seal
        self._folder = folder

    def pack(self, body: bytes, keep: bool = True) -> Parcel:
        """A parcel of these bytes. ``keep``: the file is this process's to remove."""
        if self._folder is None or len(body) <= LARGE:
            return Parcel(body)
        name = uuid.uuid4().hex
        self._write(name, body)
        return self.taken(name) if keep else Parcel(name)

    def unpack(self, content: bytes | str) -> bytes | memoryview:
        """The bytes of a parcel by its content. Raises :class:`Forged` for a file that is not signed."""
        if isinstance(content, bytes):
            return content
        return self._seal.open("file", content, self._path(content).read_bytes())

    def taken(self, content: bytes | str) -> Parcel:
        """A parcel that another process has packed and that this one keeps now."""
        parcel = Parcel(content)
        if isinstance(content, str):
            weakref.finalize(parcel, _remove, self._path(content), os.getpid()).atexit = False
        return parcel

    def _write(self, name: str, body: bytes) -> None:
        path = self._path(name)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(file, "wb") as out:
                out.write(self._seal.signature("file", name, body))
                out.write(body)
        except BaseException:
            # A disk that is full would stay full by what nobody reads.
            path.unlink(missing_ok=True)
            raise

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.parcel"


def _remove(path: Path, owner: int) -> None:
    # A fork of the process has its objects too.
    if os.getpid() == owner:
        with contextlib.suppress(OSError):
            path.unlink()
