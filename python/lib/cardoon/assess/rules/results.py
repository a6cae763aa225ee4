"""Where results are kept, and for how long."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding
from ..view import AppView
from .places import at_setting, at_task
from .urls import REDIS, backend_scheme, broker_scheme, broker_urls, place_of

_DAY_SECS = 86400.0
_FOREVER = "36500d"


def unsupported(view: AppView) -> Iterator[Finding]:
    scheme = backend_scheme(view)
    if scheme and scheme not in REDIS and scheme != "sentinel":
        wanted = "app.conf.broker_url" if broker_scheme(view) in REDIS else '"redis://localhost:6379/0"'
        yield at_setting("backend-unsupported", view, "result_backend", scheme=scheme, wanted=wanted)


def absent(view: AppView) -> Iterator[Finding]:
    if not backend_scheme(view):
        yield at_setting("no-results", view, "result_backend")


def apart(view: AppView) -> Iterator[Finding]:
    urls, backend = broker_urls(view), view.text("result_backend")
    both_on_redis = broker_scheme(view) in REDIS and backend_scheme(view) in REDIS
    if both_on_redis and urls and place_of(urls[0]) != place_of(backend):
        yield at_setting("results-apart", view, "result_backend")


def expires(view: AppView) -> Iterator[Finding]:
    secs = view.seconds("result_expires")
    if backend_scheme(view) and secs != _DAY_SECS:
        yield at_setting("result-expires", view, "result_expires", kept=f"{secs:g}s" if secs else _FOREVER)
    for setting in ("result_failure_expires", "result_chord_expires"):
        kept = view.seconds(setting)
        if kept is not None:
            yield at_setting("result-expires", view, setting, kept=f"{kept:g}s")


def ignored(view: AppView) -> Iterator[Finding]:
    if view.get("task_ignore_result"):
        yield at_setting("ignore-result", view, "task_ignore_result")
        return
    for task in view.tasks:
        if task.get("ignore_result"):
            yield at_task("ignore-result", task, "ignore_result")


RULES = (unsupported, absent, apart, expires, ignored)
