"""Amounts of bytes: as people write them, and those of a plan's files."""

from __future__ import annotations

import glob
import os
import re

from cardoon_data._terms import Json

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "k": 10**3, "m": 10**6, "g": 10**9}


def parse(size: float | str) -> int:
    """``"100MB"``, ``"64 MiB"`` or a number, in bytes."""
    if not isinstance(size, str):
        return int(size)
    parts = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", size)
    if parts is None or parts[2].lower() not in _UNITS:
        raise ValueError(f"{size!r} is no amount of bytes; write it as 100MB or 64MiB")
    return int(float(parts[1]) * _UNITS[parts[2].lower()])


def human(size: int) -> str:
    """An amount for people."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def of_files(plan: Json) -> int | None:
    """Bytes of the CSV files that a plan reads; nothing if some are compressed, and so their text is longer."""
    names = [name for pattern in _patterns(plan) for name in glob.glob(pattern)]
    if not names or any(name.endswith((".gz", ".zst")) for name in names):
        return None
    return sum(os.path.getsize(name) for name in names if os.path.isfile(name)) or None


def _patterns(part: object) -> list[str]:
    if isinstance(part, list):
        return [pattern for inner in part for pattern in _patterns(inner)]
    if not isinstance(part, dict):
        return []
    scan = part.get("scan")
    if isinstance(scan, dict):
        return list(scan["paths"]) if scan.get("format") == "csv" else []
    return _patterns(list(part.values()))
