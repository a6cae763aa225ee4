"""The engines of this process: one that uses all threads, and one that keeps the order of the files."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from cardoon_data import _kinds, _order, _progress
from cardoon_data._engine import Engine
from cardoon_data._table import Column, Table
from cardoon_data._terms import Json


@dataclass(frozen=True)
class Settings:
    """What queries may use: bytes of memory, threads. The engine's defaults by default."""

    memory: int | None = None
    threads: int | None = None


class Local:
    """Runs plans in this process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._engines: dict[int | str | None, Engine] = {}
        self._lock = threading.Lock()
        # The threads of an engine do not survive a fork, and so it cannot even be ended.
        self._process = os.getpid()
        self._lost: list[dict[int | str | None, Engine]] = []

    @property
    def address(self) -> str:
        """Where the scheduler is: within this process."""
        return f"inproc://127.0.0.1/{os.getpid()}/1"

    def workers(self) -> dict[str, int]:
        """Threads by the address of their worker."""
        return {self.address: self.settings.threads or os.cpu_count() or 1}

    def run(self, table: Table) -> pa.Table:
        """All rows of a table."""
        columns = list(table.columns)
        results = [self._collect(_order.kept(plan, columns)) for plan in _order.parts(table.plan)]
        return results[0] if len(results) == 1 else pa.concat_tables(results, promote_options="permissive")

    def columns(self, plan: Json) -> dict[str, Column]:
        """The columns of a plan. Its files are looked at."""
        schema = pa.table(self._engine(self.settings.threads).schema(json.dumps(plan))).schema
        return {field.name: Column(_kinds.of_arrow(field.type)) for field in schema}

    def explain(self, table: Table) -> str:
        """How a table will be made."""
        plan = _order.kept(table.plan, list(table.columns))
        return self._for(plan).explain(json.dumps(plan))

    def begin(self, plan: Json, most: int) -> bytes:
        """The first bytes of the first file of a scan, unpacked."""
        return self._engine(self.settings.threads).begin(json.dumps(plan), most)

    def write(self, table: Table, path: str, kind: str, store_options: str | None = None) -> int:
        """Writes all rows of a table to a file, and answers how many there are. ``store_options``: the name of options that the
        engine keeps."""
        plan = _order.kept(table.plan, list(table.columns))
        engine = self._for(plan)
        with _progress.shown() as progress:
            return engine.write(json.dumps(plan), path, kind, progress, store_options)

    def _collect(self, plan: Json) -> pa.Table:
        engine = self._for(plan)
        with _progress.shown() as progress:
            return _taken(engine.collect(json.dumps(plan), progress))

    def _for(self, plan: Json) -> Engine:
        return self._engine(1 if _order.matters(plan) else self.settings.threads)

    def _engine(self, threads: int | None) -> Engine:
        return self._made(threads, lambda: self._started(threads))

    def _started(self, threads: int | None) -> Engine:
        # One reader is no reason for functions to take turns.
        children = self.settings.threads
        return Engine(memory=self.settings.memory, threads=threads, python=sys.executable or None, children=children)

    def _made(self, name: int | str | None, make: Callable[[], Engine]) -> Engine:
        with self._lock:
            if self._process != os.getpid():
                self._lost.append(self._engines)
                self._engines, self._process = {}, os.getpid()
            if name not in self._engines:
                self._engines[name] = make()
            return self._engines[name]


def _taken(rows: Any) -> pa.Table:
    """The engine's rows as a table of pyarrow. Its views of texts are not known to all of pyarrow's functions."""
    table = pa.table(rows)
    views = [pa.types.is_string_view(field.type) for field in table.schema]
    if not any(views):
        return table
    fields = [field.with_type(pa.large_string()) if view else field for field, view in zip(table.schema, views)]
    return table.cast(pa.schema(fields))


#: The last one runs plans.
_in_effect = [Local(Settings())]


def current() -> Local:
    """What runs plans now."""
    return _in_effect[-1]


def use(local: Local) -> None:
    """Runs plans by ``local`` from now on."""
    _in_effect.append(local)


def leave(local: Local) -> None:
    """Takes back one :func:`use` of ``local``, the last one."""
    for place in reversed(range(len(_in_effect))):
        if _in_effect[place] is local:
            del _in_effect[place]
            return


def forget(local: Local) -> None:
    """Takes back each :func:`use` of ``local``."""
    _in_effect[:] = [each for each in _in_effect if each is not local]
