"""Errors of the engine, as exceptions that are also those which programs for pandas and Dask catch."""

from __future__ import annotations

import builtins
import re
from functools import cache

import pandas as pd

from cardoon import exceptions
from cardoon.exceptions import CardoonError, ImproperlyConfigured, NotFound, OperationalError

__all__ = [
    "BadRow",
    "ColumnsDiffer",
    "EmptyFile",
    "FunctionRaised",
    "NoFiles",
    "NoSuchBucket",
    "NoSuchColumn",
    "NotUtf8",
    "OutOfMemory",
    "StoreDenied",
    "no_start",
    "no_such_column",
    "of_engine",
]


class NoFiles(NotFound, FileNotFoundError):
    """No file matches a path."""

    __str__ = CardoonError.__str__


class NoSuchColumn(ImproperlyConfigured, KeyError):
    """No column has this name."""

    __str__ = CardoonError.__str__


class BadRow(CardoonError, pd.errors.ParserError):
    """A row of a file cannot be read. The message names the file and the line."""


class ColumnsDiffer(CardoonError, ValueError):
    """Files that are read together have different columns."""


class EmptyFile(CardoonError, pd.errors.EmptyDataError):
    """A file has no row at all, not even a header."""


class NotUtf8(CardoonError, UnicodeError):
    """A file is not in UTF-8."""


class StoreDenied(ImproperlyConfigured, PermissionError):
    """An object store does not accept the keys, or does not allow the access."""

    __str__ = CardoonError.__str__


class NoSuchBucket(NotFound, FileNotFoundError):
    """A bucket of an object store does not exist."""

    __str__ = CardoonError.__str__


class FunctionRaised(CardoonError):
    """A function of Python raised an exception, in another process. Whoever catches the built-in class that this derived from
    catches it too: a ``ValueError`` is one still. ``checked`` has the traceback."""


class OutOfMemory(CardoonError, MemoryError):
    """A query needs more memory than it may use."""


_BY_CODE: dict[str, type[CardoonError]] = {
    "CD8001": NoFiles,
    "CD8003": ColumnsDiffer,
    "CD8004": NoSuchColumn,
    "CD8005": BadRow,
    "CD8007": NotUtf8,
    "CD8008": EmptyFile,
    "CD8013": OutOfMemory,
    "CD8030": StoreDenied,
    "CD8031": NoSuchBucket,
}


def of_engine(
    code: str, kind: str, message: str, causes: list[str], checked: list[str], hint: str | None
) -> CardoonError:
    """The exception for an error of the engine."""
    if code == "CD8026":
        return _raised(message, code, kind, causes, checked, hint)
    cls = _BY_CODE.get(code)
    if cls is None:
        return exceptions._of_core(code, kind, message, causes, checked, hint)
    return cls(message, code=code, kind=kind, causes=causes, checked=checked, hint=hint)


#: How the engine tells the classes of an exception.
_CLASSES = "classes: "


def _raised(
    message: str, code: str, kind: str, causes: list[str], checked: list[str], hint: str | None
) -> CardoonError:
    """The exception that stands for one of a function: of the nearest built-in class that it can be made of."""
    told = next((line for line in checked if line.startswith(_CLASSES)), "")
    found = [line for line in checked if line is not told]
    for name in told.removeprefix(_CLASSES).split(", "):
        try:
            return _with_builtin(name)(message, code=code, kind=kind, causes=causes, checked=found, hint=hint)
        except TypeError:
            continue
    return FunctionRaised(message, code=code, kind=kind, causes=causes, checked=found, hint=hint)


@cache
def _with_builtin(name: str) -> type[FunctionRaised]:
    """A class that is also the built-in exception of this name. Raises ``TypeError`` if there is none, or none that can be
    made of a text."""
    builtin = getattr(builtins, name, None)
    if not (isinstance(builtin, type) and issubclass(builtin, Exception)):
        raise TypeError(f"{name} is no exception of Python's own")
    return type("FunctionRaised", (FunctionRaised, builtin), {"__module__": __name__, "__str__": CardoonError.__str__})


def no_such_column(name: object, known: list[str]) -> NoSuchColumn:
    """The exception for a name that is none of the columns ``known``, with the one that is most like it."""
    import difflib

    near = difflib.get_close_matches(str(name), known, n=1)
    return NoSuchColumn(
        f"there is no column {name!r}",
        code="CD8004",
        kind="Invalid",
        checked=[f"the columns are {', '.join(known)}"],
        hint=f"did you mean {near[0]!r}?" if near else None,
    )


def no_start(said: str, status: int | None) -> CardoonError:
    """The exception for a cluster whose processes ended before they were there, with the exit status ``status`` and these last
    words."""
    code = re.search(r"\[(CD\d{4})\]", said)
    cls, kind = (ImproperlyConfigured, "Invalid") if status == 2 else (OperationalError, "Unavailable")
    return cls(
        "the cluster did not start",
        code=code[1] if code else "CD8019",
        kind=kind,
        causes=[line.strip() for line in said.splitlines() if line.strip()],
    )
