"""``delayed``: functions of Python that are called later, those that need nothing of each other at the same time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any


class Delayed:
    """A call that is still to be made. ``compute`` makes it, and those that its arguments need, in threads of this process."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._function = function
        self._args = args
        self._kwargs = kwargs

    def compute(self, **options: Any) -> Any:
        """Makes the call. What others need is called once. Dask's options have no effect."""
        results: dict[int, Any] = {}
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            for level in _levels(self):
                answers = list(pool.map(lambda call: call._call(results), level))
                results.update(zip(map(id, level), answers, strict=True))
        return results[id(self)]

    def _call(self, results: dict[int, Any]) -> Any:
        args = [_filled(argument, results) for argument in self._args]
        kwargs = {name: _filled(argument, results) for name, argument in self._kwargs.items()}
        return self._function(*args, **kwargs)

    def _needs(self) -> Iterator[Delayed]:
        yield from _within((self._args, self._kwargs))

    def __repr__(self) -> str:
        return f"Delayed({getattr(self._function, '__name__', self._function)!s})"


def delayed(function: Callable[..., Any]) -> Callable[..., Delayed]:
    """A function whose calls wait for ``compute``. Arguments may be delayed calls, also within lists, tuples and dicts."""

    @wraps(function)
    def later(*args: Any, **kwargs: Any) -> Delayed:
        return Delayed(function, args, kwargs)

    return later


def _within(value: Any) -> Iterator[Delayed]:
    if isinstance(value, Delayed):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _within(part)
    elif isinstance(value, dict):
        yield from _within(list(value.values()))


def _filled(value: Any, results: dict[int, Any]) -> Any:
    """The value with results in place of calls."""
    if isinstance(value, Delayed):
        return results[id(value)]
    if type(value) in (list, tuple):
        return type(value)(_filled(part, results) for part in value)
    if type(value) is dict:
        return {key: _filled(part, results) for key, part in value.items()}
    return value


def _levels(last: Delayed) -> list[list[Delayed]]:
    """All calls that are needed, in levels of which each needs only earlier ones."""
    depths: dict[int, int] = {}
    calls: dict[int, Delayed] = {}
    waiting = [last]
    while waiting:
        call = waiting[-1]
        missing = [need for need in call._needs() if id(need) not in depths]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        calls[id(call)] = call
        depths[id(call)] = 1 + max((depths[id(need)] for need in call._needs()), default=-1)
    levels: list[list[Delayed]] = [[] for _ in range(max(depths.values()) + 1)]
    for key, call in calls.items():
        levels[depths[key]].append(call)
    return levels
