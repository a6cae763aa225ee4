"""What is sent to a gateway, as JSON."""

from __future__ import annotations

import json
from typing import Any

from cardoon.exceptions import EncodeError

#: No worker reads values that are nested deeper.
_MOST_DEPTH = 120


def written(body: dict[str, Any]) -> bytes:
    """``body`` as JSON. Raises ``EncodeError`` (CD2006), which says where the value stands that cannot be written."""
    try:
        return _dumps(body)
    except (TypeError, ValueError, RecursionError):
        faults = (_fault(value, name) for name, value in body.items())
        what = next(filter(None, faults), "a value cannot be written as JSON")
    hint = "send a text or a number that stands for it, such as time.isoformat()"
    raise EncodeError(what, code="CD2006", kind="Invalid", hint=hint)


def _dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _fault(value: Any, path: str) -> str | None:
    """What is wrong with ``value``, beginning with the path of the innermost value that cannot be written."""
    if _is_written(value):
        return None
    begin = path
    for _ in range(_MOST_DEPTH):
        inner = next(((step, item) for step, item in _parts(value) if not _is_written(item)), None)
        if inner is None:
            return f"{path} {_reason(value)}"
        path, value = path + inner[0], inner[1]
    return f"{begin} is nested deeper than {_MOST_DEPTH}, or holds itself"


def _is_written(value: Any) -> bool:
    try:
        _dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{key!r}]", item) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"[{place}]", item) for place, item in enumerate(value)]
    return []


def _reason(value: Any) -> str:
    if isinstance(value, float):
        return f"is {value}, which JSON has no number for"
    if isinstance(value, dict):
        return "has keys that are no texts"
    return f"is of type {type(value).__name__}, which JSON has no form for"
