"""Where messages wait."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding
from ..view import AppView
from .places import at_option_of_setting, at_setting
from .urls import REDIS, broker_scheme, broker_urls, database_of, has_login, hosts_of

_LAYOUT = ("global_keyprefix", "sep", "priority_steps")
# Covered by a finding of its own, or the same for Cardoon.
_SPOKEN_OF = frozenset({*_LAYOUT, "visibility_timeout", "queue_order_strategy", "master_name"})


def unsupported(view: AppView) -> Iterator[Finding]:
    scheme = broker_scheme(view)
    if scheme not in REDIS and scheme != "sentinel":
        yield at_setting("broker-unsupported", view, "broker_url", scheme=scheme)


def failover(view: AppView) -> Iterator[Finding]:
    if broker_scheme(view) in REDIS and len(broker_urls(view)) > 1:
        yield at_setting("broker-failover", view, "broker_url", count=str(len(broker_urls(view))))


def sentinel(view: AppView) -> Iterator[Finding]:
    if broker_scheme(view) == "sentinel":
        yield at_setting("sentinel-url", view, "broker_url", url=_sentinel_url(view))


def _sentinel_url(view: AppView) -> str:
    urls = broker_urls(view)
    login = "USER:PASSWORD@" if has_login(urls) else ""
    name = view.mapping("broker_transport_options").get("master_name") or "NAME"
    return f"redis+sentinel://{login}{','.join(hosts_of(urls))}/{name}/{database_of(urls)}"


def split(view: AppView) -> Iterator[Finding]:
    for setting in ("broker_read_url", "broker_write_url"):
        if view.get(setting) and view.get(setting) != view.get("broker_url"):
            yield at_setting("broker-split", view, setting)


def layout(view: AppView) -> Iterator[Finding]:
    for setting in ("broker_transport_options", "result_backend_transport_options"):
        for option in _LAYOUT:
            value = view.mapping(setting).get(option)
            if value:
                yield at_option_of_setting("redis-layout", setting, option, value)


def queue_order(view: AppView) -> Iterator[Finding]:
    value = view.mapping("broker_transport_options").get("queue_order_strategy")
    if value and value != "round_robin":
        yield at_option_of_setting("queue-order", "broker_transport_options", "queue_order_strategy", value)


def other_options(view: AppView) -> Iterator[Finding]:
    for option, value in view.mapping("broker_transport_options").items():
        if option not in _SPOKEN_OF:
            yield at_option_of_setting("transport-option", "broker_transport_options", str(option), value)


RULES = (unsupported, failover, sentinel, split, layout, queue_order, other_options)
