"""How messages and results are written."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding
from ..view import AppView, Task
from .places import at_setting, at_task

_NAMES = {
    "application/json": "json",
    "application/x-yaml": "yaml",
    "application/x-msgpack": "msgpack",
    "application/x-python-serialize": "pickle",
    "application/data": "auth",
}
_KNOWN = frozenset(_NAMES.values())
_PACKERS = frozenset(
    "zlib gzip bzip2 bzip lzma xz zstd zstandard"
    " application/x-gzip application/zlib application/x-bz2 application/x-lzma application/zstd".split()
)


def refused(view: AppView) -> Iterator[Finding]:
    accepted = _accepted(view)
    if _name(view.get("task_serializer")) not in accepted:
        yield at_setting("serializer-refused", view, "task_serializer", serializer=_name(view.get("task_serializer")))
    for task in _with_own_serializer(view):
        if _name(task.get("serializer")) not in accepted:
            yield at_task("serializer-refused", task, "serializer", serializer=_name(task.get("serializer")))


def pickle_accepted(view: AppView) -> Iterator[Finding]:
    for setting in ("accept_content", "result_accept_content"):
        if "pickle" in _names(view.get(setting)):
            yield at_setting("pickle-accepted", view, setting)


def kinds(view: AppView) -> Iterator[Finding]:
    finding = _finding_of(_name(view.get("task_serializer")))
    if finding:
        yield at_setting(finding, view, "task_serializer")
    for task in _with_own_serializer(view):
        finding = _finding_of(_name(task.get("serializer")))
        if finding:
            yield at_task(finding, task, "serializer")


def _finding_of(serializer: str) -> str | None:
    if serializer in ("json", "pickle"):
        return None
    if serializer == "auth":
        return "auth-serializer"
    return "other-serializer" if serializer in _KNOWN else "custom-serializer"


def result_serializer(view: AppView) -> Iterator[Finding]:
    if view.get("result_backend") and _name(view.get("result_serializer")) != "json":
        yield at_setting("result-serializer", view, "result_serializer")


def compression(view: AppView) -> Iterator[Finding]:
    for setting in ("task_compression", "result_compression"):
        if not _is_read(view.get(setting)):
            yield at_setting("compression", view, setting)
    for task in view.tasks:
        if not _is_read(task.get("compression")):
            yield at_task("compression", task, "compression", setting="task_compression")


def _is_read(packer: object) -> bool:
    return packer is None or str(packer).lower() in _PACKERS


def old_protocol(view: AppView) -> Iterator[Finding]:
    if view.get("task_protocol") == 1:
        yield at_setting("old-protocol", view, "task_protocol")


def message_signing(view: AppView) -> Iterator[Finding]:
    for setting in ("security_key", "security_certificate", "security_cert_store"):
        if view.get(setting):
            yield at_setting("message-signing", view, setting)


def _accepted(view: AppView) -> frozenset[str]:
    return _names(view.get("accept_content") or ("json",))


def _names(values: object) -> frozenset[str]:
    if isinstance(values, str):
        values = [values]
    return frozenset(map(_name, values)) if isinstance(values, (list, tuple, set, frozenset)) else frozenset()


def _name(value: object) -> str:
    text = str(value or "json")
    return _NAMES.get(text, text)


def _with_own_serializer(view: AppView) -> Iterator[Task]:
    usual = _name(view.get("task_serializer"))
    return (task for task in view.tasks if _name(task.get("serializer") or usual) != usual)


RULES = (refused, pickle_accepted, kinds, result_serializer, compression, old_protocol, message_signing)
