"""Queries on a cluster."""

from __future__ import annotations

from cardoon_data import _order
from cardoon_data._engine import Engine
from cardoon_data._local import Local, Settings
from cardoon_data._terms import Json


class Remote(Local):
    """Has the executors of a cluster run plans. A plan whose rows must come in the order of the files, and have one reader
    there too, is run in this process.

    ``keeps`` is what must not go as long as this is there. Raises :class:`OperationalError` if the cluster cannot be reached,
    or has another token.
    """

    def __init__(self, address: str, token: str | None, keeps: object = None) -> None:
        super().__init__(Settings())
        self._address = address if "://" in address else f"tcp://{address}"
        self._token = token
        self._keeps = keeps
        self._cluster()

    @property
    def address(self) -> str:
        return self._address

    def workers(self) -> dict[str, int]:
        return dict(self._cluster().executors())

    def _for(self, plan: Json) -> Engine:
        return super()._for(plan) if _order.needs_one_reader(plan) else self._cluster()

    def _cluster(self) -> Engine:
        return self._made("cluster", lambda: Engine(cluster=self._address, token=self._token))
