"""What tests of functions of Python have in common."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from helpers.processes import commands_below

ROWS = 30_000


def children(process: int | None = None) -> set[int]:
    """The processes below one in which functions run."""
    commands = commands_below(process or os.getpid())
    return {each for each, command in commands.items() if "cardoon_data._child" in command}


def parts(frame: Any, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """``map_partitions``; in pandas all rows are one."""
    lazy = hasattr(frame, "map_partitions")
    return frame.map_partitions(function, *args, **options) if lazy else function(frame, *args, **options)
