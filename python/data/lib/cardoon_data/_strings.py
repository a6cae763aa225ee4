"""``series.str``: functions of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cardoon_data import _missing, _terms
from cardoon_data._terms import Term

if TYPE_CHECKING:
    from cardoon_data._series import Series


class Strings(_missing.Told):
    """Functions of texts, by pandas' names. Positions and lengths count characters."""

    _said, _nearest, _in_pandas = "str", _missing.STRINGS, getattr(pd.Series, "str")

    def __init__(self, series: Series) -> None:
        if series._term.kind not in ("text", "other"):
            raise AttributeError("Can only use .str accessor with string values")
        self._series = series

    def lower(self) -> Series:
        """In lower case."""
        return self._text("lower")

    def upper(self) -> Series:
        """In upper case."""
        return self._text("upper")

    def strip(self, to_strip: str | None = None) -> Series:
        """Without the blanks at both ends."""
        if to_strip is not None:
            _missing.option("str.strip", "to_strip", to_strip, "only blanks are stripped; use str.replace")
        return self._text("strip")

    def len(self) -> Series:
        """How many characters there are."""
        return self._series._with(_terms.call("length", "integer", self._series._term))

    def contains(
        self, pat: str, case: bool = True, flags: int = 0, na: bool = False, regex: bool = True
    ) -> Series:
        """Whether a regular expression matches somewhere; with ``regex=False``, whether the text is somewhere.

        Expressions are those of the crate ``regex``: without backward references and without looking around. A missing
        text contains nothing.
        """
        if flags or na:
            _missing.option("str.contains", "flags" if flags else "na", flags or na, "use case=False, fillna")
        if not regex and case:
            return self._holds("contains", pat)
        pattern = pat if regex else _escaped(pat)
        return self._holds("matches", pattern if case else f"(?i){pattern}")

    def startswith(self, pat: str, na: bool = False) -> Series:
        """Whether a text begins with ``pat``. A missing one does not."""
        return self._holds("starts_with", pat)

    def endswith(self, pat: str, na: bool = False) -> Series:
        """Whether a text ends with ``pat``. A missing one does not."""
        return self._holds("ends_with", pat)

    def replace(self, pat: str, repl: str, n: int = -1, case: bool | None = None, regex: bool = False) -> Series:
        """With ``repl`` wherever ``pat`` was, taken as it stands."""
        if regex or n != -1 or case is not None:
            _missing.option("str.replace", "regex, n or case", (regex, n, case), "use sql(): regexp_replace(a, b, c)")
        return self._text("replace", _terms.literal(pat), _terms.literal(repl))

    def slice(self, start: int | None = None, stop: int | None = None, step: int | None = None) -> Series:
        """The characters from ``start`` up to ``stop``, both counted from the begin."""
        first = start or 0
        if first < 0 or (stop is not None and stop < 0) or step not in (None, 1):
            _missing.option("str.slice", "start, stop or step", (start, stop, step), "count from the begin, without steps")
        if stop is None:
            return self._text("slice", _terms.literal(first))
        return self._text("slice", _terms.literal(first), _terms.literal(max(stop - first, 0)))

    def __getitem__(self, part: object) -> Series:
        if isinstance(part, slice):
            return self.slice(part.start, part.stop, part.step)
        if isinstance(part, int) and part >= 0:
            return self.slice(part, part + 1)
        raise _missing.NotSupported("str[...] takes a slice or a position that is counted from the begin")

    def _text(self, function: str, *arguments: Term) -> Series:
        return self._series._with(_terms.call(function, "text", self._series._term, *arguments))

    def _holds(self, function: str, pattern: str) -> Series:
        if not isinstance(pattern, str):
            raise TypeError(f"expected a string, not {type(pattern).__name__}")
        found = _terms.call(function, "boolean", self._series._term, _terms.literal(pattern))
        return self._series._with(_terms.or_else(found, _terms.literal(False)))


def _escaped(text: str) -> str:
    return "".join("\\" + sign if sign in r"\.+*?()|[]{}^$#&-~" else sign for sign in text)
