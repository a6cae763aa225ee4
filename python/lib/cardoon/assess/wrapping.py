"""Wraps text in which Chinese and English stand together."""

from __future__ import annotations

import re
import unicodedata

# A word or one wide character, with the space before it and the punctuation that must not begin a line.
_PIECE = re.compile(r"\s*(?:[^\s\u2e80-\uffef]+|[\u2e80-\uffef])[，。；：、）！？”]*")


def width(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def wrapped(text: str, columns: int) -> list[str]:
    """Lines of at most `columns`, unless one word alone is longer."""
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1] and width(lines[-1]) + width(piece) > columns:
            lines.append(piece.lstrip())
        else:
            lines[-1] += piece if lines[-1] else piece.lstrip()
    return lines
