"""Names of Celery that are not there yet, and what to do instead: who asks for one is told both."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import NoReturn

_WORKFLOW = "workflows are not there yet; let the task send what follows"
_COMMANDS = "there is no remote control yet; `cardoon task list` and `cardoon task revoke ID` do most of it"
_CONNECTION = "there are no connections to hand out; send by apply_async, send_task or send_many"

#: Of the package itself.
PACKAGE: Mapping[str, str] = {
    **dict.fromkeys(("chain", "group", "chord", "chunks", "xmap", "xstarmap", "signature", "subtask"), _WORKFLOW),
    "maybe_signature": _WORKFLOW,
    "GroupResult": _WORKFLOW,
    "ResultSet": "it is not there yet; keep a list of results, as send_many answers it",
    "current_task": "define the task with bind=True and use self, or cardoon.request.current_request()",
    "bootsteps": "the worker has no bootsteps",
    "signals": "signals are not there yet; hooks of Task, such as before_start and on_failure, and app.on_after_configure are",
}

#: Of applications.
APP: Mapping[str, str] = {
    "amqp": _CONNECTION,
    "backend": "results are read by app.AsyncResult(id)",
    "broker_connection": _CONNECTION,
    "canvas": _WORKFLOW,
    "chain": _WORKFLOW,
    "chord": _WORKFLOW,
    "connection_for_read": _CONNECTION,
    "connection_for_write": _CONNECTION,
    "connection_or_acquire": _CONNECTION,
    "control": _COMMANDS,
    "events": "Celery's events are not there yet; `cardoon events` follows what happens",
    "group": _WORKFLOW,
    "GroupResult": _WORKFLOW,
    "loader": "there are no loaders; app.config_from_object takes settings",
    "log": "logging of Python is all there is",
    "pool": _CONNECTION,
    "producer_or_acquire": _CONNECTION,
    "producer_pool": _CONNECTION,
    "signature": _WORKFLOW,
    "steps": "the worker has no bootsteps",
    "subtask": _WORKFLOW,
    "user_options": "commands take no options of applications; use the environment",
    "Beat": "start it by the command `cardoon beat`",
    "Worker": "start it by app.worker_main or the command `cardoon worker`",
    "WorkController": "start it by app.worker_main or the command `cardoon worker`",
}

#: Of tasks.
TASK: Mapping[str, str] = {
    **dict.fromkeys(("s", "si", "signature", "subtask", "chunks", "map", "starmap", "add_to_chord"), _WORKFLOW),
    "signature_from_request": _WORKFLOW,
    "subtask_from_request": _WORKFLOW,
    "add_trail": _WORKFLOW,
    "backend": "results are read by self.AsyncResult(id)",
    "replace": "a task cannot be replaced yet; send the other one, and return its id",
    "request_stack": "there is self.request",
    "send_event": "Celery's events are not there yet; say how far the task is by self.update_state",
    "Request": "the worker has no classes of requests",
    "Strategy": "the worker has no strategies",
}

#: Of results.
RESULT: Mapping[str, str] = {
    "args": "a result does not keep the arguments of its task; `cardoon task get ID` shows them while it is stored",
    "kwargs": "a result does not keep the arguments of its task; `cardoon task get ID` shows them while it is stored",
    "backend": "the stores are those of result.app",
    "build_graph": _WORKFLOW,
    "children": _WORKFLOW,
    "collect": _WORKFLOW,
    "get_leaf": _WORKFLOW,
    "graph": _WORKFLOW,
    "iterdeps": _WORKFLOW,
    "on_ready": "wait by get, or await the result",
    "parent": _WORKFLOW,
    "then": "wait by get, or await the result",
}

#: Of ``cardoon.exceptions``: nothing raises them.
EXCEPTIONS: Mapping[str, str] = {
    "AlreadyRegistered": "a second task of one name is warned about, and not executed",
    "IncompleteStream": _WORKFLOW,
    "InvalidTaskError": "a message that cannot be read goes to the dead letters",
    "QueueNotFound": "a queue exists when it is named",
    "Terminated": "a task that is stopped ends with TaskRevokedError",
    "WorkerShutdown": "a worker is ended by SIGTERM",
    "WorkerTerminate": "a worker is ended by SIGTERM",
}


def attribute(owner: object, said: str, name: str, missing: Mapping[str, str]) -> NoReturn:
    """Raises AttributeError for an attribute that an object, of which ``said`` says what it is, does not have."""
    advice = f": {missing[name]}" if name in missing else ""
    raise AttributeError(f"{said} has no attribute {name!r}{advice}", name=name, obj=owner)


def of_module(module: str, name: str, missing: Mapping[str, str]) -> NoReturn:
    """Raises what a module's ``__getattr__`` has to: ImportError for ``from module import name``, since Python would put a
    text of its own in place of an AttributeError's there."""
    if name not in missing:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    text = f"{module} has no {name}: {missing[name]}"
    if _is_import(2):
        raise ImportError(text, name=module)
    raise AttributeError(text)


def _is_import(level: int) -> bool:
    """Whether the caller, so many frames away, executes ``from … import …``."""
    import dis

    frame = sys._getframe(level + 1)
    code = frame.f_code.co_code
    return 0 <= frame.f_lasti < len(code) and dis.opname[code[frame.f_lasti]] == "IMPORT_FROM"
