"""The rules: each looks at the view of an application and says what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..findings import Finding, Severity
from ..view import AppView
from . import (
    acks,
    beat,
    brokers,
    control,
    delays,
    limits,
    names,
    pools,
    results,
    routing,
    serializers,
    signals,
    tasks,
    tls,
)

__all__ = ["RULES", "assess"]

Rule = Callable[[AppView], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    *acks.RULES,
    *delays.RULES,
    *serializers.RULES,
    *pools.RULES,
    *brokers.RULES,
    *tls.RULES,
    *results.RULES,
    *limits.RULES,
    *tasks.RULES,
    *routing.RULES,
    *beat.RULES,
    *signals.RULES,
    *control.RULES,
    *names.RULES,
)


def assess(view: AppView) -> list[Finding]:
    """All findings, the worst first; those with one id stand together."""
    findings = [finding for rule in RULES for finding in rule(view)]
    severities = list(Severity)
    first = {finding.id: place for place, finding in reversed(list(enumerate(findings)))}
    return sorted(findings, key=lambda it: (severities.index(it.severity), first[it.id]))
