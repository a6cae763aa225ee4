"""Object stores: URLs of their objects, and the options by which they are reached."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cardoon_data._engine import keep_store_options
from cardoon_data._terms import Json


def is_url(path: str) -> bool:
    """Whether this is no path of this machine."""
    return "://" in path and not path.startswith("file://")


def kept(storage_options: Mapping[str, Any] | None, *paths: str) -> str | None:
    """The name under which the engine keeps options for these paths; nothing if there are none. Plans have that name alone, and
    no secret."""
    if not storage_options or not any(map(is_url, paths)):
        return None
    try:
        given = json.dumps(dict(storage_options))
    except (TypeError, ValueError):
        # What Python would say of it might repeat a secret.
        raise TypeError("storage_options has to be a mapping of names to texts, flags and such mappings") from None
    return keep_store_options(given)


def scan(scan: Json, storage_options: Mapping[str, Any] | None) -> Json:
    """A scan with the name of the options of its store."""
    name = kept(storage_options, *scan["paths"])
    return {"scan": scan if name is None else scan | {"store_options": name}}
