"""How it is told that something is not supported."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn


class NotSupported(AttributeError, NotImplementedError):
    """Something of pandas or Dask that is not supported here. The message names what comes nearest."""


class Told:
    """An object that tells what there is in place of attributes that it does not have.

    A name of the table, or one that the object has in pandas, is :class:`NotSupported`; any other one is a usual
    ``AttributeError``, with the name that is most like it. Names with an underscore in front, which notebooks, numpy and pickle
    look for, are neither looked up nor compared.
    """

    #: What messages call it.
    _said: ClassVar[str]
    #: What comes nearest, by names.
    _nearest: ClassVar[Mapping[str, str]]

    #: What has the attributes of such an object in pandas, if anything has.
    _in_pandas: ClassVar[object] = None

    if not TYPE_CHECKING:  # A type checker is to find names that are not there.

        def __getattr__(self, name: str) -> Any:
            return self._told(name)

    def _told(self, name: str) -> Any:
        """What ``__getattr__`` does for a name."""
        if hasattr(type(self), name):
            # It is a property that has raised an AttributeError, which is what there is to be told.
            return object.__getattribute__(self, name)
        if name in self._nearest:
            raise NotSupported(f"{self._said} has no {name} here: {self._nearest[name]}", name=name)
        if not name.startswith("_") and hasattr(self._in_pandas, name):
            raise NotSupported(f"{self._said} has no {name} here: {_COMPUTE}", name=name)
        near = "" if name.startswith("_") else _like(name, dir(self))
        raise AttributeError(f"{self._said} has no attribute {name!r}{near}", name=name)


_COMPUTE = "compute() first, then it is there on the object of pandas"


def option(function: str, name: str, value: object, nearest: str) -> NoReturn:
    """Raises for an option of pandas or Dask that has no effect here that is right."""
    raise NotSupported(f"{function} does not take {name}={value!r:.100} here: {nearest}")


def options(function: str, given: Mapping[str, object], nearest: Mapping[str, str], known: Container[str]) -> None:
    """Raises for named arguments that would have an effect, and ``TypeError`` for those that neither this nor Dask knows."""
    for name, value in given.items():
        if name in nearest and value:
            option(function, name, value, nearest[name])
        if name not in nearest and name not in known:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")


def of_module(module: str, name: str, nearest: Mapping[str, str], known: Iterable[str] = ()) -> NoReturn:
    """Raises what a module's ``__getattr__`` has to for a name that the module does not have: ``ImportError`` for ``from module
    import name``, since Python would put a text of its own in place of an AttributeError's there."""
    if name not in nearest:
        near = "" if name.startswith("_") else _like(name, known)
        raise AttributeError(f"module {module!r} has no attribute {name!r}{near}", name=name)
    text = f"{module} has no {name} here: {nearest[name]}"
    if _is_import(2):
        raise ImportError(text, name=module)
    raise NotSupported(text, name=name)


def _like(name: str, known: Iterable[str]) -> str:
    """What is said of the name that is most like it, if one is."""
    import difflib

    near = difflib.get_close_matches(name, [each for each in known if not each.startswith("_")], n=1, cutoff=0.75)
    return f"; did you mean {near[0]!r}?" if near else ""


def _is_import(level: int) -> bool:
    """Whether the caller, so many frames away, executes ``from … import …``."""
    import dis

    frame = sys._getframe(level + 1)
    code = frame.f_code.co_code
    return 0 <= frame.f_lasti < len(code) and dis.opname[code[frame.f_lasti]] == "IMPORT_FROM"
