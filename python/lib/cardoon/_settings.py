"""What is said of settings that have no effect here, or another one than in Celery."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardoon import _warnings
from cardoon._celery_settings import NAMES, OLD_NAMES
from cardoon.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from cardoon.config import Config

#: How like a name is to one that it may have been meant for.
_RESEMBLES = 0.8

#: Settings of Flask and of Django that resemble some of Celery's. Programs hand over all that they have.
_OF_OTHERS = frozenset({"secret_key", "time_zone", "use_tz"})

#: Parameters of an application that are settings under longer names.
_PARAMETERS = {"broker": "broker_url", "backend": "result_backend"}

_DAY_SECS = 86400


def _is_no_day(value: Any) -> bool:
    return value not in (_DAY_SECS, datetime.timedelta(days=1))


def _is_false(value: Any) -> bool:
    return value is False


def _is_not_json(value: Any) -> bool:
    return bool(value != "json")


_NOT_DROPPED = "the message of a task that has failed is kept in the dead letters"
_ONE_BROKER = "an application has one broker, broker_url"

#: Settings of Celery whose effect would be missed: for which values, and what there is in their place.
_MISSED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "beat_scheduler": (bool, "`cardoon beat` has its own scheduler"),
    "broker_read_url": (bool, _ONE_BROKER),
    "broker_write_url": (bool, _ONE_BROKER),
    "result_expires": (_is_no_day, "write retention.results into cardoon.toml"),
    "result_serializer": (_is_not_json, "results are JSON"),
    "task_acks_on_failure": (_is_false, _NOT_DROPPED),
    "task_acks_on_failure_or_timeout": (_is_false, _NOT_DROPPED),
    "task_acks_on_timeout": (_is_false, _NOT_DROPPED),
    "task_annotations": (bool, "write the options where the tasks are defined"),
    "task_default_rate_limit": (bool, "a queue with one worker of one slot bounds how many run at once"),
    "task_inherit_parent_priority": (bool, "say the priority where the task is sent"),
    "task_serializer": (_is_not_json, "messages are JSON"),
    "worker_autoscaler": (bool, "`cardoon worker --autoscale` has its own"),
}

#: Options of transports by which Celery's keys in Redis get other names.
_LAYOUT = ("global_keyprefix", "sep", "priority_steps")

#: Settings that ask for TLS, and the URL that they are for.
_TLS = {"broker_use_ssl": "broker_url", "redis_backend_use_ssl": "result_backend"}

#: Schemes without TLS, and what to do.
_WITHOUT_TLS = {
    "redis": "write the URL as rediss://…; the file of an own authority is named by ?ssl_ca_certs=FILE",
    "valkey": "write the URL as valkeys://…; the file of an own authority is named by ?ssl_ca_certs=FILE",
    "redis+sentinel": "there is no TLS to what sentinels name yet; name the primary itself: rediss://…",
}

_TRANSPORTS = {"broker_transport_options": "broker_url", "result_backend_transport_options": "result_backend"}


def present(name: str) -> str:
    """The name in lower case that Celery has now for a setting. One that it does not know stays as it is."""
    lower = name.lower()
    return OLD_NAMES.get(lower, lower if lower in NAMES else name)


def is_known(name: str) -> bool:
    """Whether Celery has such a setting, under a present or an old name."""
    return present(name) in NAMES


def meant(name: str, *others: str) -> str:
    """The setting, or the other name, that may have been meant, to be put behind what is said."""
    import difflib

    known = sorted({*NAMES, *others})
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=_RESEMBLES)
    found = _PARAMETERS.get(name.lower()) or next(iter(close), None)
    return f"; did you mean {found}?" if found else ""


def tell(name: str, value: Any) -> None:
    """Warns once of a setting whose effect would be missed, and of a name that resembles one and is none. Other names are the
    program's own."""
    if name in _MISSED:
        is_missed, instead = _MISSED[name]
        if value is not None and is_missed(value):
            _warnings.once(f"setting {name}", f"the setting {name} has no effect here: {instead}")
    elif not is_known(name) and name.lower() not in _OF_OTHERS:
        suggestion = meant(name)
        if suggestion:
            _warnings.once(f"setting {name}", f"there is no setting {name}{suggestion}")


def check(conf: Config) -> None:
    """Raises ImproperlyConfigured for what leads to another place on Redis than Celery's, or there without TLS."""
    for store in _TLS.values():
        # An error about such a text would show it, and the password that it may hold.
        text = str(conf[store] or "")
        if "@" in text and "://" not in text and not text.startswith("sqlite:"):
            raise _wrong(f"{store} is no URL: it has no scheme", "write it as redis://USER:PASSWORD@HOST:PORT/0")
    for setting, store in _TLS.items():
        url = _url(conf, store)
        scheme = url.partition("://")[0]
        if conf.get(setting) and scheme in _WITHOUT_TLS:
            raise _wrong(
                f"{setting} asks for TLS, and {store} is a {scheme}:// URL, by which there is none", _WITHOUT_TLS[scheme]
            )
    for setting, store in _TRANSPORTS.items():
        options = conf.get(setting)
        found = [name for name in _LAYOUT if isinstance(options, Mapping) and options.get(name)]
        if found and _url(conf, store).startswith("redis"):
            raise _wrong(
                f"{setting} has {found[0]}, by which Celery's keys have other names than those that are used here",
                f"remove {found[0]} from Celery's workers too, or give Cardoon a database of its own: redis://HOST/1",
            )


def _url(conf: Config, store: str) -> str:
    """Where the store is, as far as it is said in this process; the results' place is the broker's if nothing else is said."""
    url = conf[store] or (conf["broker_url"] if store == "result_backend" else None)
    return str(url or _broker_of_environment())


def _broker_of_environment() -> str:
    file = os.environ.get("CARDOON_BROKER_FILE")
    if not file:
        return os.environ.get("CARDOON_BROKER", "")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        # The compiled part reads it too, and says what is wrong.
        return ""


def _wrong(message: str, hint: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(message, code="CD4002", kind="Invalid", hint=hint)
