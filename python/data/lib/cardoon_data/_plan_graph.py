"""A plan as a graph: each step once, though several may go on with its rows."""

from __future__ import annotations

import re
from typing import NamedTuple

from cardoon_data import _plan_text
from cardoon_data._terms import Json

#: What no text for people or machines may hold: control characters, and halves of characters.
_UNFIT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_SPACES = re.compile(r"\s+")


class Step(NamedTuple):
    """A step of a plan."""

    name: str
    #: On one line.
    details: str
    #: The numbers of those whose rows it takes; all are less than its own.
    inputs: list[int]


def steps(plan: Json) -> list[Step]:
    """All steps, the last one last."""
    made: list[Step] = []
    numbers: dict[int, int] = {}
    waiting = [plan]
    while waiting:
        part = waiting[-1]
        inputs = _plan_text.inputs(part)
        missing = [each for each in inputs if id(each) not in numbers]
        if missing:
            waiting += reversed(missing)
            continue
        waiting.pop()
        if id(part) not in numbers:
            numbers[id(part)] = len(made)
            places = [numbers[id(each)] for each in inputs]
            made.append(Step(_plan_text.name(part), fit(_plan_text.details(part)), places))
    return made


def fit(text: str) -> str:
    """The text on one line, without what it may not hold."""
    return _SPACES.sub(" ", _UNFIT.sub("\ufffd", text)).strip()


def cut(text: str, letters: int) -> str:
    """The text, or its begin."""
    return text if len(text) <= letters else text[: letters - 1] + "…"


def dot(plan: Json) -> str:
    """For the programs of Graphviz."""
    lines = ["digraph plan {", '  node [shape=box, fontname="sans-serif"];']
    for number, step in enumerate(steps(plan)):
        label = step.name if not step.details else f"{step.name}\n{cut(step.details, 200)}"
        lines.append(f"  {number} [label={_quoted(label)}];")
        lines += [f"  {each} -> {number};" for each in step.inputs]
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    # A backslash would begin one of Graphviz's own escapes.
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
