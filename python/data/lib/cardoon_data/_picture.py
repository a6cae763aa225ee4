"""What ``visualize`` answers."""

from __future__ import annotations

import os
from pathlib import Path

from cardoon_data import _plan_graph, _plan_svg, _plan_text
from cardoon_data._missing import NotSupported
from cardoon_data._terms import Json

_FORMS = {".svg": _plan_svg.svg, ".dot": _plan_graph.dot, ".txt": _plan_text.of}


class Picture:
    """The steps of a query: a picture in a notebook, else text, the last step first."""

    def __init__(self, plan: Json) -> None:
        self._plan = plan

    def save(
        self,
        filename: str | os.PathLike[str],
        format: str | None = None,  # noqa: A002 - Dask's name for it.
    ) -> None:
        """Writes the steps to a file: a picture to ``.svg``, a graph for the programs of Graphviz to ``.dot``, text to
        ``.txt``. Without such an end the name gets that of ``format``, by default svg. Raises :class:`NotSupported` for
        others."""
        path = Path(filename)
        if path.suffix == "" or format is not None:
            end = f".{format or 'svg'}"
            path = path if path.suffix == end else path.with_name(path.name + end)
        write = _FORMS.get(path.suffix.lower())
        if write is None:
            raise NotSupported(
                f"a plan is not written as {path.suffix}; .svg, .dot and .txt are, and Graphviz makes the others: "
                f"dot -T{path.suffix[1:]} plan.dot"
            )
        path.write_text(write(self._plan) + "\n", encoding="utf-8", errors="replace")

    def _repr_svg_(self) -> str:
        return _plan_svg.svg(self._plan)

    def __str__(self) -> str:
        return _plan_text.of(self._plan)

    __repr__ = __str__
