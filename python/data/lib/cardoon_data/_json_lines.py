"""What the engine does not tell of files with an object of JSON in each line."""

from __future__ import annotations

import json

from cardoon_data import _local
from cardoon_data._terms import Json

_LONGEST = 1 << 20


def first_keys(plan: Json) -> list[str]:
    """The keys of the first object that a scan reads, in their order; none if that is no object."""
    try:
        first = json.loads(_local.current().begin(plan, _LONGEST).partition(b"\n")[0])
    except (ValueError, RecursionError):
        return []
    return list(first) if isinstance(first, dict) else []
