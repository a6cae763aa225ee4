"""Amounts of bytes, as people write them."""

from __future__ import annotations

import re

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
