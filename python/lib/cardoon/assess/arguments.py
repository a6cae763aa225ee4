"""Reads the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .texts import LANGUAGES, Language

_NAMES = {
    "-A": "app",
    "--app": "app",
    "-o": "output",
    "--output": "output",
    "--lang": "lang",
    "-h": "help",
    "--help": "help",
}
_CHOICES = {"output": ("table", "json"), "lang": tuple(LANGUAGES)}


@dataclass(frozen=True)
class Options:
    app: str
    output: str
    language: Language


class HelpAsked(Exception):
    """Somebody wants to know the usage."""


class UsageError(Exception):
    """The command line is wrong; the message says how, in the language of the caller."""


def parse(arguments: Sequence[str], language: Language) -> Options:
    """The options, in the forms `-A proj`, `-Aproj`, `--app proj` and `--app=proj`.

    `argparse` would do, if it spoke Chinese.
    """
    values = _values(arguments, language)
    if "app" not in values:
        raise UsageError(language.words.missing_app)
    chosen = LANGUAGES[values["lang"]] if "lang" in values else language
    return Options(values["app"], values.get("output", "table"), chosen)


def _values(arguments: Sequence[str], language: Language) -> dict[str, str]:
    values: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name, value = _split(rest.pop(0))
        option = _NAMES.get(name)
        if option is None:
            raise UsageError(language.words.unknown_argument.format(argument=name))
        if option == "help":
            raise HelpAsked
        if value is None and not rest:
            raise UsageError(language.words.missing_value.format(argument=name))
        values[option] = _checked(name, option, rest.pop(0) if value is None else value, language)
    return values


def _split(argument: str) -> tuple[str, str | None]:
    """The name of an option, and the value that is written in one word with it."""
    if argument.startswith("--"):
        name, mark, value = argument.partition("=")
        return name, value if mark else None
    if argument[:2] in _NAMES and len(argument) > 2:
        return argument[:2], argument[2:].removeprefix("=")
    return argument, None


def _checked(name: str, option: str, value: str, language: Language) -> str:
    choices = _CHOICES.get(option)
    if not value:
        raise UsageError(language.words.missing_value.format(argument=name))
    if choices is not None and value not in choices:
        text = language.words.bad_choice.format(argument=name, choices=", ".join(choices), value=value)
        raise UsageError(text)
    return value
