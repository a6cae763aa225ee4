"""Queries in SQL, as tables."""

from __future__ import annotations

from collections.abc import Mapping

from cardoon_data import _local
from cardoon_data._table import Table
from cardoon_data._terms import Json


def table(query: str, tables: Mapping[str, Table]) -> Table:
    """The rows of a query over tables by these names."""
    plain = {name: each.without_index() for name, each in tables.items()}
    plan: Json = {"sql": {"query": query, "tables": [[name, each.plan] for name, each in plain.items()]}}
    keeps = tuple(kept for each in plain.values() for kept in each.keeps)
    return Table(plan, _local.current().columns(plan), keeps=keeps)
