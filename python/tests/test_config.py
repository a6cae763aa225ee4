"""Settings: where they come from, and which goes before which."""

from __future__ import annotations

import datetime
import sys
import types
import zoneinfo
from typing import Any

import pytest

from cardoon import App
from cardoon.config import Config
from cardoon.exceptions import ImproperlyConfigured


def app(**settings: Any) -> App:
    return App("settings", set_as_current=False, **settings)


class Source:
    broker_url = "redis://from-object"
    task_default_queue = "from-object"
    _private = 1

    def method(self) -> None: ...


def test_settings_are_attributes_and_keys() -> None:
    conf = Config({"task_default_queue": "mail"})
    assert conf.task_default_queue == conf["task_default_queue"] == "mail"
    conf.task_default_queue = "other"
    assert conf["task_default_queue"] == "other" and conf.is_set("task_default_queue")
    del conf.task_default_queue
    assert conf.task_default_queue == "celery" and not conf.is_set("task_default_queue")
    conf.update({"task_always_eager": True})
    assert conf.task_always_eager
    with pytest.raises(AttributeError, match="no setting task_defualt_queue"):
        conf.task_defualt_queue


def test_a_setting_of_celery_without_effect_is_kept() -> None:
    conf = Config()
    conf.worker_prefetch_multiplier = 1
    assert conf.worker_prefetch_multiplier == 1
    assert "worker_prefetch_multiplier" in dict(conf)


@pytest.mark.parametrize("how", ["object", "module", "path", "mapping"])
def test_settings_come_from_an_object(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("settings_of_test")
    vars(module).update(
        task_default_queue="from-object", broker_url="redis://from-object", Source=Source, datetime=datetime
    )
    monkeypatch.setitem(sys.modules, "settings_of_test", module)
    sources: dict[str, object] = {
        "object": Source,
        "module": "settings_of_test",
        "path": "settings_of_test:Source",
        "mapping": {"task_default_queue": "from-object"},
    }
    made = app()
    made.config_from_object(sources[how])
    assert made.conf.task_default_queue == "from-object"
    assert not {"_private", "method", "datetime", "source"} & set(made.conf)


def test_what_is_set_goes_before_an_object() -> None:
    made = app(broker="redis://named")
    made.config_from_object(Source)
    assert (made.conf.broker_url, made.conf.task_default_queue) == ("redis://named", "from-object")
    made.conf.task_default_queue = "set"
    made.config_from_object({"task_default_queue": "later", "worker_pool": "threads"})
    assert (made.conf.task_default_queue, made.conf.worker_pool) == ("set", "threads")


def test_an_object_is_read_when_a_setting_is_asked_for() -> None:
    made = app()
    made.config_from_object("no_such_module_of_settings")
    made.conf.worker_pool = "threads"
    with pytest.raises(ModuleNotFoundError, match="no_such_module_of_settings"):
        made.conf.broker_url
    with pytest.raises(ModuleNotFoundError):
        app().config_from_object("no_such_module_of_settings", force=True)


def test_a_namespace_chooses_names() -> None:
    made = app()
    made.config_from_object(
        {"CELERY_BROKER_URL": "redis://one", "CELERY_TASK_ALWAYS_EAGER": True, "DEBUG": True, "BROKER_URL": "no"},
        namespace="CELERY",
    )
    assert (made.conf.broker_url, made.conf.task_always_eager) == ("redis://one", True)
    assert "debug" not in made.conf


def test_old_names_of_celery_count() -> None:
    made = app()
    made.config_from_object({"CELERY_RESULT_BACKEND": "redis://r", "CELERYD_CONCURRENCY": 3, "BROKER_URL": "redis://b"})
    assert (made.conf.result_backend, made.conf.worker_concurrency) == ("redis://r", 3)
    assert made.conf.broker_url == "redis://b"


def test_a_schedule_is_filled_in_place() -> None:
    made = app()
    made.conf.beat_schedule["clean"] = {"task": "clean", "schedule": 5}
    assert list(made.conf.beat_schedule) == ["clean"]
    assert app().conf.beat_schedule == {}


def test_times_without_a_zone_are_in_that_of_the_settings() -> None:
    assert Config().zone() is datetime.timezone.utc
    assert Config({"timezone": "Europe/Berlin"}).zone() == zoneinfo.ZoneInfo("Europe/Berlin")
    with pytest.raises(ImproperlyConfigured, match="(?s)CD4002.*Europe/Berlni.*Europe/Berlin"):
        Config({"timezone": "Europe/Berlni"}).zone()
