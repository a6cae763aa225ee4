"""Keeps standard output for data."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO


@contextmanager
def reserved_stdout() -> Iterator[TextIO]:
    """The real standard output. What anybody else prints, in C too and until the process ends, is talk."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    stdout = open(kept, "w", encoding="utf-8", errors="backslashreplace")
    try:
        yield stdout
    finally:
        with suppress(BrokenPipeError):
            stdout.close()
