"""The stores that Celery's environment variables name."""

from __future__ import annotations

import os
from collections.abc import Mapping

#: Settings of stores, with Celery's variable for each.
STORES: Mapping[str, str] = {"broker_url": "CELERY_BROKER_URL", "result_backend": "CELERY_RESULT_BACKEND"}

#: For each store: Cardoon's own variables, and the sections of ``cardoon.toml``, that go before Celery's variable.
_OWN: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "broker_url": (("CARDOON_BROKER", "CARDOON_BROKER__URL"), ("broker",)),
    "result_backend": (
        ("CARDOON_BROKER", "CARDOON_BROKER__URL", "CARDOON_RESULTS", "CARDOON_RESULTS__URL"),
        ("broker", "results"),
    ),
}

_FILE = "cardoon.toml"


def store(setting: str) -> str | None:
    """What Celery's variable for ``setting`` says, unless Cardoon's own or ``cardoon.toml`` say where tasks or results are.
    A broker that Cardoon is told of keeps its results too: those of Celery's variable are for another broker."""
    said = os.environ.get(STORES[setting])
    if not said:
        return None
    variables, sections = _OWN[setting]
    # Each may also be named by the file that holds it.
    if any(os.environ.get(name) for variable in variables for name in (variable, f"{variable}_FILE")) or _file_names(sections):
        return None
    return said


def _file_names(sections: tuple[str, ...]) -> bool:
    """Whether the nearest ``cardoon.toml`` upward names one of the stores."""
    wanted = {key for section in sections for key in (section, f"{section}.url", f"{section}.url_file")}
    try:
        folder = os.getcwd()
        while not os.path.isfile(file := os.path.join(folder, _FILE)):
            if folder == (folder := os.path.dirname(folder)):
                return False
        with open(file, encoding="utf-8") as text:
            return bool(wanted & _keys(text.read()))
    except (OSError, ValueError):
        # The compiled part looks for it too, and says what is wrong.
        return True


def _keys(toml: str) -> set[str]:
    """The keys of a file of settings, which is flat: Python 3.10 has no reader for it."""
    keys, section = set(), ""
    for line in toml.splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line.partition("]")[0].strip("[ ") + "."
        elif "=" in line and not line.startswith("#"):
            keys.add(section + line.partition("=")[0].replace('"', "").replace(" ", ""))
    return keys
