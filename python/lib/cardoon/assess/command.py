"""From the command line to an exit status."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import TextIO

from . import render
from .arguments import HelpAsked, Options, UsageError, parse
from .load import NotAnApplication, load_app
from .reading import read_app
from .rules import assess
from .secrets import masked
from .texts import of_environment


class Exit(IntEnum):
    """What the caller may act on."""

    FINE = 0
    ALARMING = 1
    USAGE = 2
    NOT_IMPORTED = 6
    INTERRUPTED = 130


def main(arguments: Sequence[str], stdout: TextIO, stderr: TextIO, environment: Mapping[str, str]) -> int:
    language = of_environment(environment)
    try:
        options = parse(arguments, language)
    except HelpAsked:
        _write(stdout, language.words.usage)
        return Exit.FINE
    except UsageError as error:
        print(error, language.words.usage_hint, sep="\n", file=stderr)
        return Exit.USAGE
    try:
        return _assess(options, stdout, stderr)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _assess(options: Options, stdout: TextIO, stderr: TextIO) -> Exit:
    words = options.language.words
    if importlib.util.find_spec("celery") is None:
        print(words.no_celery.format(python=sys.executable), file=stderr)
        return Exit.NOT_IMPORTED
    try:
        view = read_app(options.app, load_app(options.app))
    except NotAnApplication:
        print(words.not_an_application.format(app=options.app), file=stderr)
        return Exit.NOT_IMPORTED
    except (Exception, SystemExit) as error:
        print(words.import_failed.format(app=options.app), file=stderr)
        print(masked(_users_traceback(error)), end="", file=stderr)
        return Exit.NOT_IMPORTED
    findings = assess(view)
    form = render.as_json if options.output == "json" else render.as_table
    _write(stdout, form(view, findings, options.language) + "\n")
    alarming = any(finding.severity.is_alarming for finding in findings)
    return Exit.ALARMING if alarming else Exit.FINE


def _write(stdout: TextIO, text: str) -> None:
    """A reader who has gone away is no error."""
    with suppress(BrokenPipeError):
        stdout.write(text)
        stdout.flush()


def _users_traceback(error: BaseException) -> str:
    """The traceback from where our code called that of the user."""
    trace = error.__traceback__
    ours = str(Path(__file__).parent)
    last = max((place for place, file in enumerate(_files(trace)) if file.startswith(ours)), default=-1)
    for _ in range(last + 1):
        trace = trace.tb_next if trace else None
    while trace is not None and _is_machinery(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def _is_machinery(file: str) -> bool:
    return file.startswith(("<frozen importlib", str(Path(importlib.util.__file__).parent)))


def _files(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename
        trace = trace.tb_next
