"""``delayed``: functions of Python that are called later, those that need nothing of each other at the same time."""

from __future__ import annotations

import operator
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial, update_wrapper
from types import MethodType
from typing import Any

from cardoon_data import _missing
from cardoon_data._calls import current
from cardoon_data._calls.futures import Future
from cardoon_data._calls.runner import Lazy, Options, Row, Runner
from cardoon_data._calls.within import filled, found

#: How many threads make the calls, by Dask's names of schedulers.
_SCHEDULERS = {**dict.fromkeys(("sync", "synchronous", "single-threaded"), 1), "threads": None, "threading": None}


class Delayed(Lazy):
    """A call that is still to be made. ``compute`` makes it, and those that its arguments need, each once: also for several
    calls of a client that are given it, while its result is needed or held.

    What is done with it is a call too: ``x + y``, ``x[0]``, ``x.name``, ``x.method(1)``.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        key: str | None = None,
        nout: int | None = None,
    ) -> None:
        self._function = function
        self._args = args
        self._kwargs = kwargs
        self._nout = nout
        self.key = key or f"{_name(function)}-{uuid.uuid4()}"
        #: Stands for it where its future is found: copies are the same call, and another one may have the same name.
        self._once = object()

    def compute(self, scheduler: str | None = None, **options: Any) -> Any:
        """Makes the call, on the cluster of the client if there is one, otherwise in threads of this process; with
        ``scheduler="threads"`` or ``"synchronous"`` there in any case. Dask's other options have no effect."""
        return computed((self,), scheduler)[0]

    def persist(self, **options: Any) -> Delayed:
        """Makes the call, and answers one that has its result already."""
        return Delayed(_same, (self.compute(**options),), {}, self.key, self._nout)

    @classmethod
    def _start(cls, each: Sequence[Any], runner: Runner, futures: dict[int, Future]) -> None:
        for call in _in_order(each, lambda call: call._has_future(runner, futures)):
            args, kwargs = filled((call._args, call._kwargs), Delayed, lambda need: futures[id(need)])
            futures[id(call)] = runner.submit(call._function, [Row(call.key, args, kwargs)], Options())[0]
            runner.remember(call._once, futures[id(call)])

    def _has_future(self, runner: Runner, futures: dict[int, Future]) -> bool:
        """Whether it was started; then its future is among these."""
        if id(self) not in futures and (future := runner.started(self._once)) is not None:
            futures[id(self)] = future
        return id(self) in futures

    def __getattr__(self, name: str) -> Delayed:
        if name in _missing.DELAYED:
            raise _missing.NotSupported(f"a delayed call has no {name} here: {_missing.DELAYED[name]}", name=name)
        if name.startswith("_"):
            raise AttributeError(f"a delayed call has no attribute {name!r}")
        return Delayed(getattr, (self, name), {})

    def __call__(self, *args: Any, dask_key_name: str | None = None, **kwargs: Any) -> Delayed:
        return Delayed(_call, (self, *args), kwargs, dask_key_name)

    def __iter__(self) -> Iterator[Delayed]:
        if self._nout is None:
            raise TypeError("how many values a delayed call has is not known before it is made; say delayed(nout=2)")
        return (Delayed(operator.getitem, (self, place), {}) for place in range(self._nout))

    def __len__(self) -> int:
        if self._nout is None:
            raise TypeError("the length of a delayed call is not known before it is made; say delayed(nout=2)")
        return self._nout

    def __bool__(self) -> bool:
        raise TypeError("whether a delayed call is true is not known before it is made; compute() it first")

    def __repr__(self) -> str:
        return f"Delayed({self.key!r})"


def delayed(
    obj: Any = None,
    name: str | None = None,
    pure: bool | None = None,
    nout: int | None = None,
    traverse: bool = True,
) -> Any:
    """A function whose calls wait for ``compute``, or any other object that a delayed call is to be made of.

    Arguments may be delayed calls, also within lists, tuples, sets and dicts. ``nout``: how many values each call answers, so
    that ``a, b = f(x)`` can be written. ``dask_key_name`` of a call gives it a name. ``pure`` has no effect.
    """
    if obj is None:
        return partial(delayed, name=name, pure=pure, nout=nout, traverse=traverse)
    if isinstance(obj, Delayed):
        return obj
    if callable(obj):
        return _Function(obj, nout)
    return Delayed(_same, (obj,), {}, name, nout)


class _Function(Delayed):
    """A function whose calls are delayed. It is a delayed object itself."""

    def __init__(self, function: Callable[..., Any], nout: int | None) -> None:
        super().__init__(_same, (function,), {})
        self._of_calls = nout
        self._called = function
        update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, dask_key_name: str | None = None, **kwargs: Any) -> Delayed:
        return Delayed(self._called, args, kwargs, dask_key_name, self._of_calls)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)


def computed(values: Iterable[Any], scheduler: str | None = None) -> list[Any]:
    """The values with results in place of the delayed calls within, each of which is made once."""
    values = list(values)
    lasts = list(found(values, Delayed))
    if not lasts:
        return values
    with current.runner(_threads(scheduler)) as runner:
        futures = started(lasts, runner)
        results: list[Any] = filled(values, Delayed, lambda call: futures[id(call)].result())
    return results


def started(lasts: Iterable[Delayed], runner: Runner) -> dict[int, Future]:
    """Starts calls and those that they need, each once, and answers their futures by the ids of the calls."""
    futures: dict[int, Future] = {}
    Delayed._start(list(lasts), runner, futures)
    return futures


def _in_order(lasts: Iterable[Delayed], is_started: Callable[[Delayed], bool]) -> Iterator[Delayed]:
    """All calls that are needed and not started, each behind those that it needs. Whoever is given one starts it."""
    waiting = list(lasts)
    while waiting:
        call = waiting[-1]
        if is_started(call):
            waiting.pop()
            continue
        missing = [need for need in found((call._args, call._kwargs), Delayed) if not is_started(need)]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        yield call


def _threads(scheduler: str | None) -> int | None:
    if scheduler is None or scheduler in ("distributed", "dask.distributed"):
        return None
    if scheduler not in _SCHEDULERS:
        _missing.option("compute", "scheduler", scheduler, "make a Client, whose processes make the calls")
    return _SCHEDULERS[scheduler] or os.cpu_count() or 1


def _same(value: Any) -> Any:
    return value


def _call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def _name(function: object) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _operator(function: Callable[..., Any], is_reflected: bool = False) -> Callable[..., Delayed]:
    def later(*operands: Any) -> Delayed:
        return Delayed(function, operands[::-1] if is_reflected else operands, {})

    return later


def _add_operators() -> None:
    both = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor", "lshift", "rshift")
    for name in both:
        bare = name.strip("_")
        setattr(Delayed, f"__{bare}__", _operator(getattr(operator, name)))
        setattr(Delayed, f"__r{bare}__", _operator(getattr(operator, name), is_reflected=True))
    for name in ("neg", "pos", "abs", "invert", "getitem", "lt", "le", "gt", "ge", "eq", "ne"):
        setattr(Delayed, f"__{name}__", _operator(getattr(operator, name)))


_add_operators()
