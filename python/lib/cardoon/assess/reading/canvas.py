"""Which canvas primitives a function names, and whether it chooses ids."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType

_PRIMITIVES = frozenset({"chain", "group", "chord", "chunks", "xmap", "xstarmap"})
_MODULES = frozenset({"celery", "celery.canvas"})
_OF_TASKS = frozenset({"s", "si", "signature", "subtask"})
_OF_SELF = frozenset({"replace", "add_to_chord"})
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
_WITH_KEYWORDS = frozenset({"KW_NAMES", "CALL_FUNCTION_KW", "CALL_KW"})
_SENDING = frozenset({"apply_async", "send_task"})


def canvas_of(function: FunctionType) -> tuple[str, ...]:
    """The primitives that the code uses by a global name, as `celery.chain`, or by an import of its own; signatures that it
    makes of tasks that are global names, and what it asks of its `self`."""
    found = {name for code in _codes(function.__code__) for name in _names(code, function.__globals__)}
    return tuple(sorted(found))


def chooses_ids(function: FunctionType) -> bool:
    """Whether the code sends tasks with the keyword `task_id`."""
    return any(_SENDING & set(code.co_names) and _has_keyword(code, "task_id") for code in _codes(function.__code__))


def _has_keyword(code: CodeType, keyword: str) -> bool:
    """Whether a call in the code has a keyword: the names are a constant, which stands before the call."""
    names: object = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "KW_NAMES":
            # Python 3.11 shows the number of the constant, and not the constant.
            names = code.co_consts[instruction.arg or 0]
        elif instruction.opname == "LOAD_CONST":
            names = instruction.argval
        elif not instruction.opname.startswith("CALL"):
            names = None
        if instruction.opname in _WITH_KEYWORDS and isinstance(names, tuple) and keyword in names:
            return True
    return False


def _names(code: CodeType, globals_: dict[str, object]) -> Iterator[str]:
    loaded: object = None
    is_self = False
    imported = ""
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        if instruction.opname == "IMPORT_NAME":
            imported = str(name)
        if instruction.opname == "LOAD_GLOBAL" and _is_primitive(name, globals_.get(name)):
            yield name
        if instruction.opname in _ATTRIBUTES and name in _PRIMITIVES and _is_celery(loaded):
            yield name
        if instruction.opname in _ATTRIBUTES and name in _OF_TASKS and hasattr(loaded, "apply_async"):
            yield f".{name}()"
        if instruction.opname in _ATTRIBUTES and name in _OF_SELF and is_self:
            yield f"self.{name}()"
        if instruction.opname == "IMPORT_FROM" and name in _PRIMITIVES and imported in _MODULES:
            yield name
        loaded = globals_.get(name) if instruction.opname == "LOAD_GLOBAL" else None
        is_self = instruction.opname.startswith("LOAD_FAST") and name == "self"


def _is_primitive(name: str, value: object) -> bool:
    return name in _PRIMITIVES and getattr(value, "__module__", None) == "celery.canvas"


def _is_celery(value: object) -> bool:
    return isinstance(value, ModuleType) and value.__name__ in _MODULES


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of the functions and comprehensions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
