"""A sender and a reader of results with real Celery.

Reads a line of JSON and answers with one. JSON has too few types, so each holds an expression of Python.
"""

# It runs in Celery's interpreters, and Celery has no types.
# mypy: ignore-errors

from __future__ import annotations

import datetime
import json
import math
import sys
from decimal import Decimal
from uuid import UUID

from celery import chain, chord, group, signature
from celery.exceptions import TimeoutError
from celery.result import AsyncResult

from interop.programs import shared  # noqa: F401 - classes are only looked up in modules that are imported.
from interop.programs.celery_app import app

TYPES = {"datetime": datetime, "Decimal": Decimal, "UUID": UUID, "nan": math.nan, "inf": math.inf}


def send(task, args=(), kwargs=None, **options):
    return app.send_task(task, args, kwargs or {}, **options).id


def apply(task, args=(), kwargs=None, **options):
    """Sends a task that is defined here, with its own options."""
    return app.tasks[task].apply_async(args, kwargs or {}, **options).id


def send_in_trace(task, args=(), **options):
    """Sends a task within a span that is recorded; answers its id and that of the trace."""
    from opentelemetry.instrumentation.celery import CeleryInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import format_trace_id

    provider = TracerProvider()
    CeleryInstrumentor().uninstrument()
    CeleryInstrumentor().instrument(tracer_provider=provider)
    try:
        with provider.get_tracer("interop").start_as_current_span("sender") as span:
            return send(task, args, **options), format_trace_id(span.get_span_context().trace_id)
    finally:
        CeleryInstrumentor().uninstrument()


def send_many(calls, **options):
    return [send(task, args, **options) for task, args in calls]


def get(id, timeout):
    """How a task ended: with a value, or an exception, as Python code sees it."""
    try:
        return {"value": AsyncResult(id, app=app).get(timeout=timeout)}
    except TimeoutError as error:
        # A task may have failed with one of its own.
        if str(error) == "The operation timed out.":
            return {"pending": AsyncResult(id, app=app).state}
        return raised(id, error)
    except Exception as error:
        return raised(id, error)


def raised(id, error):
    result = AsyncResult(id, app=app)
    cls = type(error)
    return {
        "type": cls.__name__,
        "module": cls.__module__,
        "is_known": getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls,
        "args": [arg if isinstance(arg, (str, int, list)) else repr(arg) for arg in error.args],
        "text": str(error),
        "state": result.state,
        "traceback": result.traceback,
    }


def get_many(ids, timeout):
    return [get(id, timeout) for id in ids]


def look(id):
    """A task's state and what is said beside it."""
    result = AsyncResult(id, app=app)
    info = result.info
    if isinstance(info, BaseException):
        info = [type(info).__name__, list(map(str, info.args))]
    return [result.state, info, result.traceback]


def about(id):
    """What a result says of its task."""
    result = AsyncResult(id, app=app)
    said = {name: getattr(result, name) for name in ("name", "queue", "retries", "worker", "children", "date_done")}
    # Some versions give times without a zone, in UTC.
    return {**said, "date_done": said["date_done"].replace(tzinfo=datetime.timezone.utc)}


def set_state(id, state, meta):
    app.backend.store_result(id, meta, state)


def store_raw(id, document):
    """Stores what no worker would."""
    app.backend.set(app.backend.get_key_for_task(id), document)


def revoke(id):
    app.control.revoke(id)


def forget(id):
    AsyncResult(id, app=app).forget()


def send_canvas(kind, queue):
    """Sends a task with something that is to follow it; answers the id of what is executed first."""
    first = signature("interop.note", (kind,), app=app, queue=queue)
    second = signature("interop.note", ("follows",), app=app, queue=queue, immutable=True)
    if kind == "chain":
        return chain(first, second).apply_async().parent.id
    if kind == "chord":
        return chord([first], second).apply_async().parent.results[0].id
    if kind == "group":
        second = signature("interop.note", ("in group",), app=app, queue=queue)
        return [result.id for result in group([first, second]).apply_async().results]
    return first.apply_async(**{kind: second}).id


COMMANDS = [
    *(send, apply, send_in_trace, send_many, get, get_many, look, about, set_state, store_raw, revoke, forget),
    send_canvas,
]


def main():
    commands = {command.__name__: command for command in COMMANDS}
    for line in sys.stdin:
        name, args, options = eval(json.loads(line), dict(TYPES))
        try:
            answer = True, commands[name](*args, **options)
        except Exception as error:
            answer = False, f"{name}: {type(error).__name__}: {error}"
        print(json.dumps(repr(answer)), flush=True)


if __name__ == "__main__":
    main()
