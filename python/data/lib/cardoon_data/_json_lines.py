"""What the engine does not tell of files with an object of JSON in each line."""

from __future__ import annotations

import glob
import gzip
import json
import os

_LONGEST = 1 << 20


def first_keys(paths: list[str]) -> list[str]:
    """The keys of the first object, in their order; none if it cannot be read: the engine says why, when it reads it."""
    for path in paths:
        for name in [path] if os.path.isfile(path) else sorted(glob.glob(path)):
            try:
                with gzip.open(name, "rb") if name.endswith(".gz") else open(name, "rb") as file:
                    first = json.loads(file.readline(_LONGEST))
            except (OSError, ValueError, RecursionError):
                return []
            return list(first) if isinstance(first, dict) else []
    return []
