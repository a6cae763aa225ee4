"""Finds the application that `-A` names, as Celery does."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_WHERE_NAMES_ARE_LOOKED_UP = ("kombu.utils.imports", "celery.app.utils")


class NotAnApplication(Exception):
    """The name leads to something else than an application of Celery."""


def load_app(name: str) -> Any:
    """The application `name`, with all its task modules imported and its settings read.

    Whatever the user's code raises comes out unchanged.
    """
    _put_current_folder_first()
    app = _find_app(name)
    if not isinstance(app, import_module("celery").Celery):
        raise NotAnApplication(name)
    with _quiet_signals():
        app.loader.import_default_modules()
    app.finalize()
    app.conf.finalize()
    return app


def _find_app(name: str) -> Any:
    find_app = import_module("celery.app.utils").find_app
    failures: list[ImportError] = []

    def imported(module: str, package: str | None = None) -> ModuleType:
        try:
            return import_module(module, package)
        except ImportError as error:
            if not _is_absent(module, error):
                failures.append(error)
            raise

    try:
        return find_app(name, imp=imported)
    except (ImportError, AttributeError) as error:
        # Celery drops what a submodule `celery` raised and then says that there is none.
        if failures:
            raise failures[0] from None
        if _is_about_the_name(error) or _is_about_the_name(error.__context__):
            raise NotAnApplication(name) from error
        raise


def _is_absent(module: str, error: ImportError) -> bool:
    """Whether `module` itself, or a package that it is in, does not exist."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return missing is not None and (module == missing or module.startswith(f"{missing}."))


def _is_about_the_name(error: BaseException | None) -> bool:
    """Whether looking for an attribute raised it, and not code of a module that was imported."""
    if not isinstance(error, AttributeError):
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") in _WHERE_NAMES_ARE_LOOKED_UP


def _put_current_folder_first() -> None:
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)


@contextmanager
def _quiet_signals() -> Iterator[None]:
    """Keeps Celery from printing the traceback of a failed task module that is raised again anyway."""
    logger = logging.getLogger("celery.utils.dispatch.signal")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was_disabled
