"""A producer and a reader of results with the real Celery.

Takes a JSON object a line and answers with one: {"ok": ...} or {"failed": {...}}.
"""

import datetime
import decimal
import json
import sys
import uuid

from celery.exceptions import TimeoutError
from celery.result import AsyncResult
from interop_app import app


def send(request):
    """Sends a task, or the same one many times. Answers with the ids."""
    options = request.get("options", {})
    args = request.get("args", [])
    kwargs = request.get("kwargs", {})
    eta = options.pop("eta_in", None)
    if eta is not None:
        options["eta"] = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=eta)
    results = [
        app.send_task(request["task"], args, kwargs, **options) for _ in range(request.get("count", 1))
    ]
    return [result.id for result in results]


def send_typed(request):
    """Calls the task as Python code does, which takes the task's own options, such as ignore_result."""
    task = app.tasks[request["task"]]
    return task.apply_async(request.get("args", []), **request.get("options", {})).id


def get(request):
    """Waits for a result. A failure of the task is an answer too: what Python code would see raised."""
    result = AsyncResult(request["id"], app=app)
    try:
        return {"value": result.get(timeout=request["limit"])}
    except TimeoutError:
        return {"pending": result.state}
    except Exception as error:
        raised = {"type": type(error).__name__, "module": type(error).__module__, "text": str(error)}
        return {"raised": raised, "state": result.state, "traceback": result.traceback}


def meta(request):
    """Everything that the backend knows of a task, as text where JSON has no type for it."""
    known = app.backend.get_task_meta(request["id"])
    return json.loads(json.dumps(known, default=str))


def echo_types(request):
    """Sends values of the types that kombu adds to JSON through `interop.echo`. Answers with what came back changed."""
    values = [
        datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc),
        datetime.date(2026, 1, 2),
        decimal.Decimal("3.10"),
        uuid.UUID(int=7),
        "text \u4efb\u52a1 \u2028",
        [1, -2.5, True, None, {"nested": []}],
        2**60,
    ]
    back = app.send_task("interop.echo", [values]).get(timeout=request["limit"])
    return [[repr(value), repr(after)] for value, after in zip(values, back) if value != after]


def purge(request):
    return app.control.purge()


COMMANDS = {command.__name__: command for command in (send, send_typed, get, meta, echo_types, purge)}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"ok": COMMANDS[request.pop("do")](request)}
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
