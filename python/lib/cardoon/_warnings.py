"""Warnings of what has no effect, once for each thing."""

from __future__ import annotations

import os
import sys
import warnings

_PACKAGE = os.path.dirname(__file__) + os.sep

_told: set[str] = set()


def once(about: str, message: str) -> None:
    """Warns the program of ``message``, unless that was done before in this process for ``about``. The place that is shown is
    the program's own."""
    if about not in _told:
        _told.add(about)
        warnings.warn(message, stacklevel=_first_outside())


def _first_outside() -> int:
    """How many frames lie between ``warnings.warn`` in :func:`once` and code that is not of this package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith((_PACKAGE, "<frozen ")):
        level, frame = level + 1, frame.f_back
    return level
