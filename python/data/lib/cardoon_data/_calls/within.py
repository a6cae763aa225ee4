"""Values within lists, tuples, sets and dicts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, KeysView, ValuesView
from typing import Any, TypeVar

T = TypeVar("T")


def found(value: Any, kind: type[T]) -> Iterator[T]:
    """The objects of a kind within a value, at any depth."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from found(part, kind)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from found(key, kind)
            yield from found(part, kind)


def filled(value: Any, kind: type[T], fill: Callable[[T], Any]) -> Any:
    """The value with something else in place of the objects of a kind. Parts without any are the very objects."""
    if isinstance(value, kind):
        return fill(value)
    if isinstance(value, list | tuple | set | frozenset):
        parts = [filled(part, kind, fill) for part in value]
        if all(new is old for new, old in zip(parts, value, strict=True)):
            return value
        return of_parts(type(value), parts)
    if isinstance(value, dict):
        pairs = {filled(key, kind, fill): filled(part, kind, fill) for key, part in value.items()}
        return value if all(value.get(key, pairs) is part for key, part in pairs.items()) else pairs
    return value


def listed(value: Any) -> Any:
    """A list of what can only be gone through, and other values as they are."""
    return list(value) if isinstance(value, Iterator | KeysView | ValuesView | deque) else value


def of_parts(cls: type[Any], parts: list[Any]) -> Any:
    """A list and the like of these parts. A tuple with names takes each as an argument."""
    return cls(*parts) if hasattr(cls, "_fields") else cls(parts)
