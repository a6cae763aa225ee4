"""Findings as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby

from .findings import Finding, Severity, Where
from .texts import Explanation, Language
from .view import AppView
from .wrapping import width, wrapped

COLUMNS = 88
_PLACES = 12


def as_json(view: AppView, findings: Sequence[Finding], language: Language) -> str:
    document = {
        "app": view.name,
        "celery": view.celery_version,
        "tasks": len(view.tasks),
        "counts": {severity.value: count for severity, count in _counts(findings)},
        "findings": [_finding_document(finding, language.explain(finding)) for finding in findings],
    }
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return "".join(char if char == "\n" or char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1]


def _finding_document(finding: Finding, text: Explanation) -> dict[str, object]:
    where = finding.where
    return {
        "id": finding.id,
        "severity": finding.severity.value,
        "where": {
            "kind": where.kind.value,
            "name": where.name,
            "value": where.value,
            "file": where.source.file if where.source else None,
            "line": where.source.line if where.source else None,
        },
        "celery": text.celery,
        "cardoon": text.cardoon,
        "fix": text.fix,
    }


def as_table(view: AppView, findings: Sequence[Finding], language: Language) -> str:
    """Blocks of findings that say the same, each with its places."""
    lines = [language.words.head.format(app=view.name, tasks=len(view.tasks), celery=view.celery_version)]
    counts = [f"{language.words.severities[severity]} {count}" for severity, count in _counts(findings)]
    lines.append("  ".join(counts))
    explained = [(language.explain(finding), finding) for finding in findings]
    for _, group in groupby(explained, key=lambda it: (it[1].id, _same_text(it[0]))):
        members = list(group)
        lines += ["", *_block([text for text, _ in members], [finding for _, finding in members], language)]
    return "\n".join(_clean(line) for line in lines)


def _same_text(text: Explanation) -> tuple[str, str]:
    """The fixes of a block may differ."""
    return (text.celery, text.cardoon)


def _block(texts: Sequence[Explanation], findings: Sequence[Finding], language: Language) -> list[str]:
    words = language.words
    lines = [f"{words.severities[findings[0].severity]}  {findings[0].id}"]
    lines += [f"  {_place(finding.where)}" for finding in findings[:_PLACES]]
    if len(findings) > _PLACES:
        lines.append("  " + words.more_places.format(count=len(findings) - _PLACES))
    indent = max(width(label) for label in (words.celery, words.cardoon, words.fix)) + 4
    lines += _labelled(words.celery, [texts[0].celery], indent)
    lines += _labelled(words.cardoon, [texts[0].cardoon], indent)
    return lines + _labelled(words.fix, list(dict.fromkeys(text.fix for text in texts[:_PLACES])), indent)


def _labelled(label: str, texts: Iterable[str], indent: int) -> list[str]:
    first, *rest = [line for text in texts for line in wrapped(text, COLUMNS - indent)]
    head = f"  {label}{' ' * (indent - 2 - width(label))}{first}"
    return [head, *(" " * indent + line for line in rest)]


def _place(where: Where) -> str:
    parts = [where.name]
    if where.value is not None:
        parts.append(f"= {where.value}" if where.kind.value == "setting" else where.value)
    if where.source is not None:
        parts.append(f"({where.source.file}:{where.source.line})")
    return " ".join(parts)


def _counts(findings: Iterable[Finding]) -> list[tuple[Severity, int]]:
    severities = [finding.severity for finding in findings]
    return [(severity, severities.count(severity)) for severity in Severity]


def _clean(line: str) -> str:
    """Names are of the user's making: what a terminal would obey is escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
