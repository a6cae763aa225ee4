"""The ``cardoon`` command for an application of this process."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cardoon.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from cardoon.app import App


def run(app: App, words: Sequence[str]) -> None:
    """Executes the command with ``words`` and, unless they name one, with ``app``. Raises SystemExit unless all is well."""
    from cardoon import _core

    named = any(word in ("-A", "--app") or word.startswith(("-A", "--app=")) for word in words)
    before = () if named else ("-A", name_of(app))
    # Python's own handler would only note the signal; the command handles it itself.
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        status = _core.cli(["cardoon", *before, *words], sys.executable)
    finally:
        signal.signal(signal.SIGINT, handler)
    if status != 0:
        sys.exit(status)


def name_of(app: App) -> str:
    """What ``-A`` names the application: a module and its attribute."""
    for name, module in list(sys.modules.items()):
        for attribute, value in list(getattr(module, "__dict__", {}).items()):
            if value is app and not name.startswith("cardoon."):
                file = getattr(module, "__file__", None)
                return f"{file if name == '__main__' and file else name}:{attribute}"
    raise ImproperlyConfigured(
        f"the application {app.main} is no attribute of a module, from which the worker's processes could import it",
        code="CD4002",
        kind="Invalid",
        hint="keep it as in: app = App('tasks'), or name it: -A module:name",
    )
