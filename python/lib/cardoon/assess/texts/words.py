"""The form of the texts of a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..findings import Severity


@dataclass(frozen=True)
class Explanation:
    """What Celery does, what Cardoon does, and the one line that settles the difference."""

    celery: str
    cardoon: str
    fix: str


@dataclass(frozen=True)
class Words:
    """All that is said beside the explanations."""

    usage: str
    severities: Mapping[Severity, str]
    celery: str
    cardoon: str
    fix: str
    head: str
    more_places: str
    missing_app: str
    missing_value: str
    unknown_argument: str
    bad_choice: str
    usage_hint: str
    no_celery: str
    import_failed: str
    not_an_application: str
