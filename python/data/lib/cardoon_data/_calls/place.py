"""Workers that other programs have started."""

from __future__ import annotations

from collections.abc import Callable

from cardoon.exceptions import ImproperlyConfigured
from cardoon_data._calls.wire import TOKEN


class Elsewhere:
    """Workers that take calls from a store. Large values travel through it too: there is no folder that all of them see."""

    folder = None
    error = None

    def __init__(self, broker: str) -> None:
        self.broker = broker

    @classmethod
    def of(cls, broker: str, token: str | None) -> tuple[str, Callable[[], Elsewhere]]:
        """The token, and what answers the place. Raises :class:`ImproperlyConfigured` if there is no token."""
        if token is None:
            raise ImproperlyConfigured(
                "calls are signed with a token, and there is none",
                code="CD4002",
                kind="Invalid",
                hint=f"Client(address, broker=…, token=…), or the variable {TOKEN}, as its workers have it",
            )
        return token, lambda: cls(broker)
