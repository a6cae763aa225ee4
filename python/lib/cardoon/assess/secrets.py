"""Shows values without what must stay secret."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping

MASK = "***"
LONGEST = 60

# Greedy: a password may hold `@` and `/` itself. What is masked too much hurts nobody.
_LOGIN = re.compile(r"(\w://)[^\s'\"]*@")
_OPTION = re.compile(
    r"((?:password|passwd|secret|token|sig|accountkey|sharedaccesssignature)['\"]?\s*[=:]\s*)[^\s&;,]+", re.IGNORECASE
)
_URL = re.compile(r"([\w+.-]+://)[^'\"]*")
_SECRET_NAME = re.compile(r"pass|secret|token|credential|kwargs|(?:^|_)key(?:$|_)", re.IGNORECASE)


def masked(text: str) -> str:
    """`text` with the logins of its URLs, and what looks like a password's value, masked."""
    return _OPTION.sub(rf"\1{MASK}", _LOGIN.sub(rf"\1{MASK}@", text))


def shown(name: str, value: object) -> str:
    """The value of the setting or option `name`, short and without secrets. Of a URL only its scheme is shown."""
    if _SECRET_NAME.search(name):
        return MASK
    if isinstance(value, Mapping):
        value = {key: MASK if _SECRET_NAME.search(str(key)) else item for key, item in value.items()}
    return cut(masked(_URL.sub(r"\1…", _plain(value))))


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _plain(value: object) -> str:
    total = getattr(value, "total_seconds", None)
    if callable(total):
        return f"{total():g} s"
    if isinstance(value, enum.Enum):
        return value.name
    if callable(value):
        return str(getattr(value, "__qualname__", type(value).__qualname__))
    return " ".join(repr(value).split())
