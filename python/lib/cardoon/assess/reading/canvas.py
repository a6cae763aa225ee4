"""Which canvas primitives a function names."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType

_PRIMITIVES = frozenset({"chain", "group", "chord", "chunks", "xmap", "xstarmap"})
_MODULES = frozenset({"celery", "celery.canvas"})


def canvas_of(function: FunctionType) -> tuple[str, ...]:
    """The primitives that the code uses by a global name, as `celery.chain`, or by an import of its own."""
    found = {name for code in _codes(function.__code__) for name in _names(code, function.__globals__)}
    return tuple(sorted(found))


def _names(code: CodeType, globals_: dict[str, object]) -> Iterator[str]:
    loaded: object = None
    imported = ""
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        if instruction.opname == "IMPORT_NAME":
            imported = str(name)
        if instruction.opname == "LOAD_GLOBAL" and _is_primitive(name, globals_.get(name)):
            yield name
        if instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and name in _PRIMITIVES and _is_celery(loaded):
            yield name
        if instruction.opname == "IMPORT_FROM" and name in _PRIMITIVES and imported in _MODULES:
            yield name
        loaded = globals_.get(name) if instruction.opname == "LOAD_GLOBAL" else None


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
