"""What the user hooked into Celery: receivers of signals, bootsteps, remote control commands."""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import Iterator
from importlib import import_module
from types import FunctionType
from typing import Any

from ..view import Extension, Receiver
from .sources import function_of, is_of_celery, qualified, source_of

# Sent by loading the application, which has happened already.
_SENT_BY_LOADING = frozenset({"import_modules"})


def read_receivers() -> tuple[Receiver, ...]:
    signals = import_module("celery.signals")
    signal_class = import_module("celery.utils.dispatch").Signal
    return tuple(
        Receiver(name, qualified(function), source_of(function))
        for name, signal in vars(signals).items()
        if isinstance(signal, signal_class) and name not in _SENT_BY_LOADING
        for function in _functions(signal)
    )


def _functions(signal: Any) -> Iterator[object]:
    for _, reference in list(signal.receivers):
        receiver = reference() if isinstance(reference, weakref.ReferenceType) else reference
        function = _behind_retry(function_of(receiver) or receiver)
        if function is not None and not is_of_celery(getattr(function, "__module__", None)):
            yield function


def _behind_retry(function: object) -> object:
    """What `connect(retry=True)` hides in a closure of its own."""
    if not isinstance(function, FunctionType) or not is_of_celery(function.__module__):
        return function
    return inspect.getclosurevars(function).nonlocals.get("retry_fun", function)


def read_bootsteps(app: Any) -> tuple[Extension, ...]:
    steps = [step for kind in ("worker", "consumer") for step in app.steps.get(kind, ())]
    return tuple(sorted((Extension(qualified(step), source_of(step)) for step in steps), key=lambda it: it.name))


def read_commands() -> tuple[Extension, ...]:
    """Commands are registered through a module of Celery; if nobody imported it, there are none."""
    control = sys.modules.get("celery.worker.control")
    if control is None:
        return ()
    return tuple(
        Extension(name, source_of(function))
        for name, function in sorted(control.Panel.data.items())
        if not is_of_celery(getattr(function_of(function), "__module__", None))
    )
