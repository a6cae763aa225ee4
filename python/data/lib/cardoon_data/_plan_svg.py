"""A plan as a picture: files above, the answer below. Names are text of files, which may say anything."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from cardoon_data import _plan_graph
from cardoon_data._plan_graph import Step
from cardoon_data._terms import Json

#: Of the box of a step, and between two of them, in pixels.
_WIDTH, _HEIGHT = 300, 46
_BESIDE, _BELOW = 24, 34
_MARGIN = 12

#: Letters that fit on the line of a box.
_LETTERS = 44

_STYLE = (
    "text{font-family:sans-serif;font-size:12px;fill:#222}.name{font-weight:bold}"
    ".step{fill:#fff;stroke:#667}.read{fill:#e8f0fa}.way{fill:none;stroke:#667}"
)


class Place(NamedTuple):
    """The upper left corner of a box."""

    x: float
    y: float


def svg(plan: Json) -> str:
    """A document of its own, which needs nothing else."""
    steps = _plan_graph.steps(plan)
    places = _places(steps)
    width = max(place.x for place in places) + _WIDTH + _MARGIN
    height = max(place.y for place in places) + _HEIGHT + _MARGIN
    ways = [_way(places[each], place) for step, place in zip(steps, places, strict=True) for each in step.inputs]
    boxes = [_box(step, place) for step, place in zip(steps, places, strict=True)]
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    return "\n".join([head, f"<style>{_STYLE}</style>", *ways, *boxes, "</svg>"])


def _places(steps: list[Step]) -> list[Place]:
    """Each step stands below those whose rows it takes, and each line of them in the middle."""
    levels: list[int] = []
    for step in steps:
        levels.append(max((levels[each] + 1 for each in step.inputs), default=0))
    counts = [0] * (max(levels) + 1)
    columns = []
    for level in levels:
        columns.append(counts[level])
        counts[level] += 1
    widest = max(counts)

    def place(level: int, column: int) -> Place:
        left = (widest - counts[level]) / 2 + column
        return Place(_MARGIN + left * (_WIDTH + _BESIDE), _MARGIN + level * (_HEIGHT + _BELOW))

    return [place(level, column) for level, column in zip(levels, columns, strict=True)]


def _way(begin: Place, end: Place) -> str:
    """From the lower edge of one box to the upper edge of another."""
    x, y = begin.x + _WIDTH / 2, begin.y + _HEIGHT
    to_x, to_y = end.x + _WIDTH / 2, end.y
    bend = (to_y - y) / 2
    return f'<path class="way" d="M{x:g} {y:g}C{x:g} {y + bend:g} {to_x:g} {to_y - bend:g} {to_x:g} {to_y:g}"/>'


def _box(step: Step, place: Place) -> str:
    kind = "step" if step.inputs else "step read"
    middle = place.x + _WIDTH / 2
    # The whole of it is shown by who points at it.
    title = escape(f"{step.name} {_plan_graph.cut(step.details, 2000)}".strip())
    text = f'<text x="{middle:g}" y="{{y:g}}" text-anchor="middle"{{more}}>{{words}}</text>'
    name = text.format(y=place.y + 19, more=' class="name"', words=escape(_plan_graph.fit(step.name)))
    details = text.format(y=place.y + 36, more="", words=escape(_plan_graph.cut(step.details, _LETTERS)))
    box = f'<rect class="{kind}" x="{place.x:g}" y="{place.y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="4"/>'
    return f"<g><title>{title}</title>{box}{name}{details}</g>"
