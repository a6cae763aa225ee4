"""Folders for temporary files. What a killed process has left is removed by the next one that makes a folder.

A process that has folders keeps a file locked whose name begins like theirs. The kernel lets go of the lock when the process dies, and only
then. The file gets its name after it was locked, so that one which is just being made is never taken for one that was left."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import weakref
from pathlib import Path

_PREFIX = "cardoon-data-"
_ALIVE = ".alive"


class Folder:
    """An empty folder that nobody else may look into. It is removed with this object, and at the latest with this process."""

    def __init__(self) -> None:
        owner = _owner()
        with owner.lock:
            self.path = tempfile.mkdtemp(prefix=f"{owner.begin()}-")
            owner.folders += 1
        weakref.finalize(self, _remove, self.path, owner)


class _Owner:
    """This process, as the owner of folders. It has a locked file as long as there are some."""

    def __init__(self) -> None:
        self.process = os.getpid()
        # Objects may be finalized anywhere, also in a thread that is just making a folder.
        self.lock = threading.RLock()
        self.folders = 0
        self._locked: tuple[int, str] | None = None

    def begin(self) -> str:
        """How the names of the folders begin."""
        if self._locked is None:
            file, new = tempfile.mkstemp(prefix=_PREFIX, suffix=".new")
            _try_lock(file)
            name = new.removesuffix(".new") + _ALIVE
            os.rename(new, name)
            self._locked = file, name
            _remove_left(Path(name).parent)
        return Path(self._locked[1]).name.removesuffix(_ALIVE)

    def end(self) -> None:
        """Lets go of the lock, if the last folder is gone."""
        if self._locked is not None and self.folders == 0:
            file, name = self._locked
            self._locked = None
            with contextlib.suppress(OSError):
                os.unlink(name)
            os.close(file)


_known: _Owner | None = None


def _owner() -> _Owner:
    global _known
    if _known is None or _known.process != os.getpid():
        _known = _Owner()
    return _known


def _remove(folder: str, owner: _Owner) -> None:
    """Removes a folder, unless this is a fork of the process that it belongs to."""
    if os.getpid() != owner.process:
        return
    shutil.rmtree(folder, ignore_errors=True)
    with owner.lock:
        owner.folders -= 1
        owner.end()


def _remove_left(parent: Path) -> None:
    """Removes the folders whose owners are dead."""
    for name in parent.glob(f"{_PREFIX}*{_ALIVE}"):
        with contextlib.suppress(OSError), name.open("r+b") as file:
            if _try_lock(file.fileno()):
                for folder in parent.glob(f"{name.name.removesuffix(_ALIVE)}-*"):
                    shutil.rmtree(folder, ignore_errors=True)
                name.unlink()


def _try_lock(file: int) -> bool:
    """Whether nobody else has locked the file, which is locked now. Where files cannot be locked, nothing is removed."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
