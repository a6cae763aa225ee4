"""What frames, series and results have in common: they are computed when somebody asks for it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import pandas as pd

from cardoon_data import _local, _pandas
from cardoon_data._calls.within import filled
from cardoon_data._delayed import computed
from cardoon_data._picture import Picture
from cardoon_data._table import Table

T = TypeVar("T")


class Collection(ABC, Generic[T]):
    """Something lazy, of which ``compute`` makes a ``T``."""

    @abstractmethod
    def _whole(self) -> Table:
        """What the engine is asked for."""

    @abstractmethod
    def _shape(self, frame: pd.DataFrame) -> T:
        """What becomes of the engine's answer."""

    def compute(self, **options: Any) -> T:
        """Runs the query and answers with an object of pandas, or a number.

        Rows that are neither sorted nor grouped come in the order of the files. Dask's options, such as ``scheduler``,
        have no effect. Ctrl-C ends it.
        """
        table = self._whole()
        return self._shape(_pandas.frame(_local.current().run(table), table))

    def explain(self) -> str:
        """How the engine will carry it out."""
        return _local.current().explain(self._whole())

    def visualize(
        self,
        filename: str | os.PathLike[str] | None = None,
        format: str | None = None,  # noqa: A002 - Dask's name for it.
        **options: Any,
    ) -> Picture:
        """The steps: a picture in a notebook, else text, the last one first.

        They are also written to the file of this name, if one is given: a picture to ``.svg``, a graph for the programs of
        Graphviz to ``.dot``, text to ``.txt``. A name without such an end gets that of ``format``, by default svg. Raises
        :class:`NotSupported` for others. Dask's further options have no effect.
        """
        picture = Picture(self._whole().plan)
        if filename is not None:
            picture.save(filename, format)
        return picture


def compute(*collections: Any, scheduler: str | None = None, **options: Any) -> tuple[Any, ...]:
    """Computes several objects, also within lists, tuples and dicts. Delayed calls are made at the same time, and each once;
    frames are computed one after the other. What is not lazy is answered as it is."""
    lazy: type[Any] = Collection
    given = filled(collections, lazy, lambda each: each.compute(**options))
    return tuple(computed(given, scheduler))
