"""The call itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def made(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What a function returns; of one that is ``async def`` what it returns in the end."""
    value = function(*args, **kwargs)
    if inspect.iscoroutine(value):
        import asyncio

        return asyncio.run(value)
    return value
