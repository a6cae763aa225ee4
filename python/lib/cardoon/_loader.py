"""Finds the application that ``-A`` names."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from cardoon.app import App


class Unusable(Exception):
    """There is no application under this name, or none that a worker could run. ``hint`` says what to do."""

    def __init__(self, message: str, checked: list[str], hint: str) -> None:
        super().__init__(message)
        self.checked = checked
        self.hint = hint


def load(name: str) -> App:
    """The application ``name``: ``tasks``, ``tasks:app``, ``project.tasks`` or ``tasks.py``.

    A module's application is its attribute ``app`` or ``celery``, else the only one that it has; a package's may be in its
    module ``celery`` or ``tasks``. What the import raises is passed on.
    """
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    module_name, _, attribute = (name, "", "") if _is_of_windows(name) else name.partition(":")
    if module_name.endswith(".py") and os.path.exists(module_name):
        module_name = _of_file(module_name)
    elif _is_path(module_name):
        raise _no_file(module_name)
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise _no_module(module_name)
    module, rest = _module(module_name)
    path = attribute or rest
    if path:
        return _attribute(module, path)
    found = _in_module(module)
    if found is None:
        raise _none_in(module)
    return found


def _is_path(name: str) -> bool:
    """Whether a file is meant, and not a module."""
    return "/" in name or "\\" in name or name.endswith(".py")


def _is_of_windows(name: str) -> bool:
    """Whether the colon is that of a drive."""
    return name[1:3] in (":\\", ":/")


def _of_file(path: str) -> str:
    """The name under which a file can be imported. One outside of this folder is a module of its own."""
    path = os.path.splitext(os.path.relpath(path))[0]
    if path.startswith(os.pardir):
        folder, path = os.path.split(os.path.abspath(path))
        sys.path.insert(0, folder)
    return path.replace(os.sep, ".")


def _module(name: str) -> tuple[ModuleType, str]:
    """The module of this name, or that of its front part and the name of an attribute."""
    try:
        return importlib.import_module(name), ""
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise
        front, _, last = name.rpartition(".")
        if not front:
            raise _no_module(name) from None
    try:
        return importlib.import_module(front), last
    except ModuleNotFoundError as error:
        if error.name is not None and (front == error.name or front.startswith(f"{error.name}.")):
            raise _no_module(name) from None
        raise


def _attribute(module: ModuleType, path: str) -> App:
    found: Any = module
    for part in path.split("."):
        found = getattr(found, part, None)
    if isinstance(found, ModuleType):
        found = _in_module(found)
    if isinstance(found, App):
        return found
    if _is_celery(found):
        raise _celery(module.__name__)
    raise Unusable(
        f"{module.__name__}:{path} is no application of Cardoon",
        [f"it is {type(found).__name__}" if found is not None else "there is no such name"],
        "make one: app = App('tasks'), with `from cardoon import App`",
    )


def _in_module(module: ModuleType) -> App | None:
    for name in ("app", "celery"):
        found = getattr(module, name, None)
        if isinstance(found, App):
            return found
    # By their own types: what stands for another object may fail when it is asked for that one's.
    apps: dict[int, App] = {id(value): value for value in vars(module).values() if issubclass(type(value), App)}
    if len(apps) == 1:
        return next(iter(apps.values()))
    if hasattr(module, "__path__"):
        return next(_in_submodules(module), None)
    if any(_is_celery(value) for value in vars(module).values()):
        raise _celery(module.__name__)
    return None


def _in_submodules(package: ModuleType) -> Iterator[App]:
    for name in ("celery", "app", "tasks"):
        full = f"{package.__name__}.{name}"
        try:
            module = importlib.import_module(full)
        except ModuleNotFoundError as error:
            if error.name != full:
                raise
            continue
        found = _in_module(module)
        if found is not None:
            yield found


def _is_celery(value: object) -> bool:
    return any(cls.__module__.startswith("celery.") and cls.__name__ == "Celery" for cls in type(value).__mro__)


def _no_module(name: str) -> Unusable:
    return Unusable(
        f"there is no module {name or 'without a name'}",
        _found(),
        "change to the folder of your project, or write the module with its package: -A project.tasks",
    )


def _no_file(path: str) -> Unusable:
    if os.path.exists(path):
        return Unusable(
            f"{path} is no file of Python",
            _found(),
            "name a file or a module of your project: -A tasks.py, or -A project.tasks",
        )
    return Unusable(
        f"there is no file {path}", _found(), "change to the folder of your project, or write the module: -A project.tasks"
    )


def _found() -> list[str]:
    """What is in the current folder."""
    files = sorted(file for file in os.listdir() if file.endswith(".py"))
    return [f"folder: {os.getcwd()}", f"Python files in it: {', '.join(files[:10]) or 'none'}"]


def _none_in(module: ModuleType) -> Unusable:
    file = getattr(module, "__file__", None)
    if file is None and hasattr(module, "__path__"):
        # Python makes a module of any folder.
        return Unusable(
            f"{module.__name__} is a folder without an application",
            [f"folder: {folder}" for folder in module.__path__] + _found(),
            f"name the module in it that has one: -A {module.__name__}.tasks",
        )
    return Unusable(
        f"the module {module.__name__} has no application",
        [f"file: {file or 'none'}"],
        "make one: app = App('tasks'), with `from cardoon import App`; or name it: -A module:name",
    )


def _celery(module: str) -> Unusable:
    return Unusable(
        f"the application in {module} is one of Celery",
        [f"module: {module}"],
        f"import App from cardoon in its place; cardoon assess -A {module} says what will differ",
    )
