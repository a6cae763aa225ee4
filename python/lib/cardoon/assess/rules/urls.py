"""What the URLs of broker and result backend say, without their logins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qs

from ..view import AppView

REDIS = frozenset({"redis", "rediss"})

# What does not look like a host may be a part of a password.
_HOST = re.compile(r"([\w.-]*|\[[\da-fA-F:]+\])(:\d+)?")


def urls_of(value: object) -> list[str]:
    """One URL or several, in a list or between semicolons."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(";") if part.strip()]
    if isinstance(value, Sequence):
        return [url for item in value for url in urls_of(item)]
    return []


def scheme_of(url: str) -> str:
    """`redis` for `redis://…` and for plain `redis`; what is before `+` counts, as it does for Celery."""
    return url.split("://")[0].split("+")[0].lower()


def broker_urls(view: AppView) -> list[str]:
    """What `broker_url` says. Celery splits at semicolons itself, into servers to fail over to."""
    return urls_of(view.get("broker_url"))


def broker_scheme(view: AppView) -> str:
    """The transport of the broker; without any setting it is RabbitMQ."""
    transport = view.text("broker_transport")
    urls = broker_urls(view)
    if urls and "://" in urls[0]:
        return scheme_of(urls[0])
    return (transport or "amqp").lower()


def backend_scheme(view: AppView) -> str:
    """The kind of result backend; empty if there is none."""
    value = view.get("result_backend")
    if value is None or value == "disabled":
        return ""
    return scheme_of(value) if isinstance(value, str) else type(value).__name__


def without_login(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"


def hosts_of(urls: Sequence[str]) -> list[str]:
    """The servers of sentinels' URLs, of which only the first needs a scheme."""
    places = (without_login(url).partition("://")[2] or url.rpartition("@")[2] for url in urls)
    hosts = (re.split(r"[/?]", place)[0] for place in places)
    return [host if _HOST.fullmatch(host) else "HOST" for host in hosts]


def has_login(urls: Sequence[str]) -> bool:
    return any("@" in url for url in urls)


def database_of(urls: Sequence[str]) -> str:
    path = without_login(urls[-1]).partition("://")[2].partition("?")[0].partition("/")[2]
    return path if path.isdigit() else "0"


def options_of(url: str) -> dict[str, str]:
    query = without_login(url).partition("?")[2]
    return {name: values[-1] for name, values in parse_qs(query).items()}


def place_of(url: str) -> tuple[str, str]:
    """Host with port, and database: what tells two Redis stores apart."""
    host = hosts_of([url])[0]
    return (host if ":" in host else f"{host or 'localhost'}:6379", database_of([url]))
