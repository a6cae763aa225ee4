"""Where real Celery is installed."""

from __future__ import annotations

import os
from pathlib import Path

VERSIONS = ("5.2", "5.4", "5.6", "5.7")

#: The tests' own folder, from which the programs are imported.
TESTS = Path(__file__).parent.parent

_REQUIREMENTS = TESTS.parent.parent / "tests" / "interop" / "python" / "requirements"


def celery_python(version: str) -> str:
    """The interpreter that has this version. One that is missing, or is made of another list, fails the test."""
    environment = _cache() / "python" / f"celery-{version}"
    wanted = (_REQUIREMENTS / f"celery-{version}.txt").read_text(encoding="utf-8")
    made = environment / "requirements.txt"
    if not made.is_file() or made.read_text(encoding="utf-8") != wanted:
        raise AssertionError(f"celery-{version} is not installed as wanted: run `cargo xtask setup`")
    return str(environment / "bin" / "python")


def has_types(version: str) -> bool:
    """Whether this Celery writes and reads dates, decimals and the like as what they are. Older ones write texts, and
    read the objects that stand for them as dictionaries."""
    return version != "5.2"


def keeps_headers(version: str) -> bool:
    """Whether the next attempt of a task in this Celery has the headers that its sender added."""
    return version != "5.2"


def has_traces(version: str) -> bool:
    """Whether OpenTelemetry's instrumentation is installed beside this Celery."""
    return version == VERSIONS[-1]


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cardoon"
