"""What is said, in English and Chinese."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ..findings import Finding
from . import en, zh
from .words import Explanation, Words

__all__ = ["LANGUAGES", "Explanation", "Language", "Words", "language_of", "of_environment"]


@dataclass(frozen=True)
class Language:
    """The texts of one language."""

    code: str
    words: Words
    explanations: Mapping[str, Explanation]

    def explain(self, finding: Finding) -> Explanation:
        """What is said about a finding, with its values filled in."""
        values = {"name": finding.where.name, **finding.values}
        text = self.explanations[finding.id]
        return Explanation(*(part.format_map(values) for part in (text.celery, text.cardoon, text.fix)))


LANGUAGES: Mapping[str, Language] = {
    "en": Language("en", en.WORDS, en.EXPLANATIONS),
    "zh": Language("zh", zh.WORDS, zh.EXPLANATIONS),
}


def language_of(locale: str) -> Language:
    return LANGUAGES["zh" if locale.lower().startswith("zh") else "en"]


def of_environment(environment: Mapping[str, str] = os.environ) -> Language:
    """The language of the first locale variable that is set."""
    locales = (environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return language_of(next((locale for locale in locales if locale), ""))
