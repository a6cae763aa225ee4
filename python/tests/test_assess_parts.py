"""The parts of `cardoon assess` that need no Celery."""

from __future__ import annotations

import importlib
import importlib.util
import string
import sys
from pathlib import Path
from types import ModuleType

import pytest

PACKAGE = Path(__file__).parent.parent / "lib" / "cardoon" / "assess"


def _load() -> ModuleType:
    """The package under a name of its own, without whatever `cardoon` imports."""
    spec = importlib.util.spec_from_file_location(
        "assess_alone", PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["assess_alone"] = module
    spec.loader.exec_module(module)
    return module


_load()
arguments = importlib.import_module("assess_alone.arguments")
delays = importlib.import_module("assess_alone.rules.delays")
findings = importlib.import_module("assess_alone.findings")
rules = importlib.import_module("assess_alone.rules")
secrets = importlib.import_module("assess_alone.secrets")
texts = importlib.import_module("assess_alone.texts")
view = importlib.import_module("assess_alone.view")
wrapping = importlib.import_module("assess_alone.wrapping")


def _gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_explain_every_finding_with_the_same_gaps() -> None:
    english, chinese = texts.LANGUAGES["en"].explanations, texts.LANGUAGES["zh"].explanations
    assert set(english) == set(chinese) == set(findings.SEVERITY)
    for id_, text in english.items():
        for part in ("celery", "cardoon", "fix"):
            assert _gaps(getattr(text, part)) == _gaps(getattr(chinese[id_], part)), (id_, part)


def test_a_fix_is_one_line() -> None:
    for language in texts.LANGUAGES.values():
        for text in language.explanations.values():
            assert text.fix.strip() and "\n" not in text.fix


def test_rules_look_at_a_view_without_celery() -> None:
    app = view.AppView("app", settings={"broker_url": "redis://localhost"}, tasks=(view.Task("app.add"),))
    found = rules.assess(app)
    assert found[0].id == "early-ack"
    assert [it.severity for it in found] == sorted((it.severity for it in found), key=list(findings.Severity).index)
    for finding in found:
        for language in texts.LANGUAGES.values():
            assert language.explain(finding).fix


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"default_retry_delay": 180, "max_retries": 3}, 180),
        ({"default_retry_delay": 9000, "max_retries": 0}, 0),
        ({"default_retry_delay": 9000, "autoretry_for": (OSError,), "retry_backoff": True, "max_retries": 3}, 4),
        ({"autoretry_for": (OSError,), "retry_backoff": 30, "retry_backoff_max": 90, "max_retries": 3}, 90),
        ({"autoretry_for": (OSError,), "retry_backoff": 30, "retry_backoff_max": 9000, "max_retries": None}, 9000),
        ({"autoretry_for": (OSError,), "retry_kwargs": {"countdown": 7200}, "max_retries": 3}, 7200),
        ({"default_retry_delay": 5, "autoretry_for": (OSError,), "max_retries": 3}, 5),
    ],
)
def test_the_longest_delay_is_the_one_that_retries_reach(options: dict[str, object], expected: float) -> None:
    assert delays.longest_delay(view.Task("app.add", options=options))[1] == expected


@pytest.mark.parametrize(
    "text",
    [
        "redis://:hunter2@localhost:6379/0",
        "redis://hunter2@localhost",
        "redis://user:hun@/ter2hunter2@localhost/0",
        "sentinel://:hunter2@one;sentinel://:hunter2@two",
        "cannot reach redis://user:hunter2@host now",
        "redis://localhost?password=hunter2&db=1",
        "azureblockblob://AccountName=a;AccountKey=hunter2;x=y",
        "{'password': 'hunter2', 'host': 'localhost'}",
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert "hunter2" not in secrets.masked(text)
    assert "hunter2" not in secrets.shown("broker_url", text)


def test_a_value_is_shown_short() -> None:
    assert secrets.shown("task_default_queue", "mail") == "'mail'"
    assert secrets.shown("redis_password", "hunter2") == "***"
    assert len(secrets.shown("task_routes", "x" * 500)) == secrets.LONGEST


def test_lines_are_wrapped_by_their_width() -> None:
    text = "任务执行之前就确认（3 个任务中的 3 个）。worker 一死，任务就丢了。" * 5
    lines = wrapping.wrapped(text, 40)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(wrapping.width(line) <= 44 for line in lines)
    assert not any(line.startswith(("，", "。", "）")) for line in lines)
    assert wrapping.wrapped("one two three", 7) == ["one two", "three"]


@pytest.mark.parametrize("words", [["-A", "proj"], ["-Aproj"], ["--app", "proj"], ["--app=proj"], ["-A=proj"]])
def test_options_are_read_in_their_usual_forms(words: list[str]) -> None:
    options = arguments.parse([*words, "-ojson", "--lang", "zh"], texts.LANGUAGES["en"])
    assert (options.app, options.output, options.language.code) == ("proj", "json", "zh")


def test_usage_errors_speak_the_language_of_the_caller() -> None:
    with pytest.raises(arguments.UsageError, match="缺少 -A"):
        arguments.parse([], texts.LANGUAGES["zh"])
