"""TLS to Redis: what `broker_use_ssl`, `redis_backend_use_ssl` and the URLs ask for."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping

from ..findings import Finding
from ..view import AppView
from .places import at_option_of_setting, at_setting
from .urls import broker_urls, options_of, urls_of

_CLIENT = ("ssl_keyfile", "ssl_certfile", "keyfile", "certfile")
_CHECK = ("ssl_cert_reqs", "cert_reqs")
_UNCHECKED = frozenset({"none", "optional", "cert_none", "cert_optional"})


def tls(view: AppView) -> Iterator[Finding]:
    for setting, options in _options(view):
        client = next((option for option in _CLIENT if options.get(option)), None)
        check = next((option for option in _CHECK if option in options), None)
        if client:
            yield at_option_of_setting("tls-client-certificate", setting, client, options[client])
        if check and _is_unchecked(options[check]):
            yield at_option_of_setting("tls-unchecked", setting, check, options[check])


def _options(view: AppView) -> Iterator[tuple[str, Mapping[str, object]]]:
    for setting in ("broker_use_ssl", "redis_backend_use_ssl"):
        if view.mapping(setting):
            yield setting, view.mapping(setting)
    for url in broker_urls(view):
        yield "broker_url", options_of(url)
    for url in urls_of(view.get("result_backend")):
        yield "result_backend", options_of(url)


def _is_unchecked(value: object) -> bool:
    if isinstance(value, (bool, int)):
        return value in (ssl.CERT_NONE, ssl.CERT_OPTIONAL)
    return str(value).lower() in _UNCHECKED


def options(view: AppView) -> Iterator[Finding]:
    for setting in ("broker_use_ssl", "redis_backend_use_ssl"):
        if view.get(setting):
            authorities = view.mapping(setting).get("ssl_ca_certs")
            yield at_setting("tls-options", view, setting, authorities=str(authorities or "FILE"))


RULES = (tls, options)
