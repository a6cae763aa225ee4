"""What a caller gives to reach a gateway: read and checked before anything is sent, and never shown with its secrets."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

from cardoon import _values
from cardoon.exceptions import ImproperlyConfigured

#: No span is longer for a socket, in seconds.
_MOST_SECS = 366 * 86_400.0

#: What may stand in the path of a URL as it is.
_PATH = "/%:@!$&'()*+,;=~"

Seconds = float | datetime.timedelta


class Place(NamedTuple):
    """Where a gateway is. ``base``: what the paths of its API begin with."""

    is_tls: bool
    host: str
    port: int
    base: str

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def place(url: str) -> Place:
    """Where the gateway of a URL is. Raises ``ImproperlyConfigured`` (CD1004) if it is none."""
    text = url.strip()
    try:
        parts = urlsplit(text if "//" in text else f"//{text}", scheme="http")
        port = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError:
        # Its words may quote the password.
        raise _no_url(text) from None
    if not _is_of_a_gateway(text, parts) or port == 0:
        raise _no_url(text)
    if "@" in parts.netloc:
        raise _no_url(text, "a gateway knows no users and passwords: write http://HOST:PORT, and give the token as token=")
    is_tls = parts.scheme == "https"
    base = quote(parts.path.rstrip("/"), safe=_PATH) + "/api/v1"
    return Place(is_tls, parts.hostname or "", port or (443 if is_tls else 80), base)


def bearer(token: str | None) -> dict[str, str]:
    """The header of a token, without the blanks and line ends around it; none for an empty one. Raises ``ImproperlyConfigured``
    (CD7001), which does not show it."""
    text = (token or "").strip()
    if not text:
        return {}
    if not re.fullmatch(r"[!-~]+", text):
        raise ImproperlyConfigured(
            "the token holds characters that no token has",
            code="CD7001",
            kind="Invalid",
            hint="a token begins with cdn_ and is one word of ASCII: copy it again",
        )
    return {"Authorization": f"Bearer {text}"}


def idempotency_key(key: str | None) -> dict[str, str]:
    """The header of a key, without the blanks around it. Raises ``ImproperlyConfigured`` (CD7005) for what cannot be one."""
    if key is None:
        return {}
    if not isinstance(key, str):
        raise TypeError(f"idempotency_key is {key!r}; it is a text")
    return {"Idempotency-Key": _word("idempotency_key", key, "urllib.parse.quote(…) makes a key of any text")}


def last_event(after: str | None) -> dict[str, str]:
    """The header of the event to go on after. Raises ``ImproperlyConfigured`` (CD7005) for what cannot be the id of one."""
    return {"Last-Event-ID": _word("after", after, "give the id of an event")} if after else {}


def timeout(where: str, value: Seconds) -> float:
    """Seconds that a socket can wait. Raises ``TypeError`` and ``ValueError``: it is more than 0."""
    secs = _values.limit(where, value)
    if secs is None:
        raise ValueError(f"{where} is {value!r}; it is more than 0 seconds")
    return min(secs, _MOST_SECS)


def _word(where: str, value: str, hint: str) -> str:
    """The value of a header. Blanks around it are not sent."""
    text = value.strip()
    if re.fullmatch(r"[ -~]{1,255}", text):
        return text
    message = f"{where} is {value!r}; it has 1 to 255 printable characters of ASCII"
    raise ImproperlyConfigured(message, code="CD7005", kind="Invalid", hint=hint)


def _is_of_a_gateway(text: str, parts: SplitResult) -> bool:
    has_blanks = any(letter <= " " or letter == "\x7f" for letter in text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not has_blanks


def _no_url(text: str, hint: str = "write http://HOST:PORT") -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{_masked(text)!r} is no URL of a gateway", code="CD1004", kind="Invalid", hint=hint)


def _masked(url: str) -> str:
    """A URL without what may be a secret: its user and password, and what follows its path."""
    before, at, after = url.rpartition("@")
    scheme, slashes, _ = before.partition("//")
    shown = f"{scheme}//***@{after}" if slashes else f"***@{after}" if at else url
    return re.split(r"[?#]", shown, maxsplit=1)[0]
