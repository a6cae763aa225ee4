"""What tests of programs that use Cardoon need. ``cardoon.pytest_plugin`` has it as fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardoon.testing.worker import Worker, start_worker

__all__ = ["Worker", "start_worker"]


def __getattr__(name: str) -> Any:
    """Imports what is asked for: pytest loads this package also for tests that need nothing of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cardoon.testing import worker

    return getattr(worker, name)
