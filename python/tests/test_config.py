"""Settings: where they come from, and which goes before which."""

from __future__ import annotations

import datetime
import sys
import types
import zoneinfo
from pathlib import Path
from typing import Any

import pytest

from cardoon import App
from cardoon._greeting import greeting
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


def test_old_names_and_capitals_are_those_of_the_present_ones() -> None:
    conf = Config()
    conf.CELERY_ALWAYS_EAGER = True
    conf["BROKER_URL"] = "redis://x"
    assert conf.task_always_eager and conf.CELERY_ALWAYS_EAGER and conf.broker_url == "redis://x"
    conf.broker_url = "redis://y"
    assert conf.BROKER_URL == "redis://y"
    del conf.BROKER_URL
    assert not conf.is_set("broker_url")


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_annotations", {"*": {"rate_limit": "10/s"}}),
        ("result_expires", 60),
        ("result_expires", datetime.timedelta(hours=1)),
        ("task_acks_on_failure_or_timeout", False),
        ("task_default_rate_limit", "10/m"),
        ("task_serializer", "pickle"),
        ("beat_scheduler", "django_celery_beat.schedulers:DatabaseScheduler"),
        ("broker_read_url", "redis://elsewhere"),
    ],
)
def test_a_setting_whose_effect_would_be_missed_is_told_once(name: str, value: Any) -> None:
    with pytest.warns(UserWarning, match=f"the setting {name} has no effect here: .") as told:
        Config({name: value})
        setattr(Config(), name, value)
        made = app()
        made.config_from_object({name: value}, force=True)
    assert len(told) == 1


@pytest.mark.filterwarnings("error")
def test_settings_that_ask_for_what_is_done_anyway_are_not_told() -> None:
    conf = Config()
    conf.update(
        result_expires=datetime.timedelta(days=1),
        task_acks_on_failure_or_timeout=True,
        task_annotations=None,
        task_serializer="json",
        worker_prefetch_multiplier=1,
        my_own="value",
    )
    conf.result_expires = 86400
    app().config_from_object({"DEBUG": True, "CELERY_TASK_SERIALIZER": "json", "INSTALLED_APPS": ()}, force=True)


def test_a_misspelt_setting_is_told_with_the_right_one() -> None:
    conf = Config()
    with pytest.warns(UserWarning, match=r"no setting task_defualt_queue; did you mean task_default_queue\?") as told:
        conf.task_defualt_queue = "mail"
        conf.task_defualt_queue = "mails"
    assert len(told) == 1 and told[0].filename == __file__
    with pytest.warns(UserWarning, match=r"no setting broker; did you mean broker_url\?"):
        conf.broker = "redis://x"
    with pytest.warns(UserWarning, match=r"no setting brokr_url; did you mean broker_url\?"):
        app().config_from_object({"CELERY_BROKR_URL": "redis://x"}, namespace="CELERY", force=True)
    with pytest.warns(UserWarning, match=r"no setting celery_task_always_eagr; did you mean task_always_eager\?"):
        app().config_from_object({"CELERY_TASK_ALWAYS_EAGR": True}, force=True)


def test_an_application_is_made_with_settings_that_there_are() -> None:
    with pytest.raises(TypeError, match=r"App has no parameter and no setting 'brokr'; did you mean broker\?"):
        app(brokr="redis://x")
    with pytest.raises(TypeError, match="no setting 'nonsense'$"):
        app(nonsense=1)
    made = app(timezone="Europe/Berlin", CELERY_ALWAYS_EAGER=True, fixups=[], autofinalize=False, changes={"enable_utc": True})
    assert made.conf.timezone == "Europe/Berlin" and made.conf.enable_utc and made.conf.task_always_eager


def test_a_module_that_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "settings_of_test", types.ModuleType("settings_of_test"))
    sys.modules["settings_of_test"].task_default_queue = "mail"  # type: ignore[attr-defined]
    made = app()
    assert made.config_from_envvar("SETTINGS_OF_TEST", silent=True) is False
    with pytest.raises(ImproperlyConfigured, match="SETTINGS_OF_TEST is not set"):
        made.config_from_envvar("SETTINGS_OF_TEST")
    monkeypatch.setenv("SETTINGS_OF_TEST", "settings_of_test")
    assert made.config_from_envvar("SETTINGS_OF_TEST") and made.conf.task_default_queue == "mail"


def test_a_module_of_settings_may_be_missing_where_that_is_said() -> None:
    made = app()
    made.config_from_object("no_such_module_of_settings", silent=True)
    assert made.conf.task_default_queue == "celery"


TLS = "asks for TLS, and {} is a {}:// URL"


@pytest.mark.parametrize(
    ("settings", "text", "hint"),
    [
        (
            {"broker_url": "redis://x", "broker_use_ssl": {"ssl_cert_reqs": 2}},
            TLS.format("broker_url", "redis"),
            "rediss://",
        ),
        ({"broker_url": "redis://x", "redis_backend_use_ssl": True}, TLS.format("result_backend", "redis"), "rediss://"),
        (
            {"broker_url": "sqlite:x.db", "result_backend": "redis://x", "redis_backend_use_ssl": {"ssl_cert_reqs": 0}},
            TLS.format("result_backend", "redis"),
            "rediss://",
        ),
        (
            {"broker_url": "redis+sentinel://x/name", "broker_use_ssl": True},
            TLS.format("broker_url", r"redis\+sentinel"),
            "name the primary",
        ),
        (
            {"broker_url": "redis://x", "broker_transport_options": {"global_keyprefix": "shop"}},
            "broker_transport_options has global_keyprefix",
            "a database of its own",
        ),
        (
            {"broker_url": "redis://x", "result_backend_transport_options": {"global_keyprefix": "shop"}},
            "result_backend_transport_options has global_keyprefix",
            "a database of its own",
        ),
        ({"broker_url": "s3cret@localhost"}, "broker_url is no URL", "redis://USER:PASSWORD@"),
        ({"broker_url": "user:s3cret@localhost:6379"}, "broker_url is no URL", "redis://USER:PASSWORD@"),
    ],
)
def test_settings_that_lead_elsewhere_than_celerys_are_refused(settings: dict[str, Any], text: str, hint: str) -> None:
    made = app(**settings)
    for use in (lambda: made.send_task("t"), lambda: greeting(made, "processes")):
        with pytest.raises(ImproperlyConfigured, match=text) as caught:
            use()
        assert caught.value.code == "CD4002" and hint in (caught.value.hint or "") and "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"broker_url": "rediss://x", "broker_use_ssl": {"ssl_cert_reqs": 2}, "redis_backend_use_ssl": True},
        {"broker_url": "sqlite:x.db", "broker_use_ssl": True, "broker_transport_options": {"global_keyprefix": "shop"}},
        {"broker_url": "redis://x", "broker_transport_options": {"visibility_timeout": 3600}},
        {"broker_url": "redis://x", "broker_use_ssl": None, "broker_transport_options": {}},
    ],
)
def test_settings_that_lead_to_the_same_place_are_taken(settings: dict[str, Any]) -> None:
    app(**settings).conf.check()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://of-celery/0")
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "redis://of-celery/1")
    for name in ("BROKER", "BROKER__URL", "RESULTS", "RESULTS__URL"):
        monkeypatch.delenv(f"CARDOON_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def stores(made: App) -> tuple[str | None, str | None]:
    return made.conf.broker_url, made.conf.result_backend


@pytest.mark.usefixtures("environment")
def test_the_environment_of_celery_counts_where_nothing_else_is_said() -> None:
    assert stores(app()) == ("redis://of-celery/0", "redis://of-celery/1")
    told = greeting(app(), "processes")["app"]
    assert (told["broker"], told["backend"]) == ("redis://of-celery/0", "redis://of-celery/1")
    assert stores(app(broker="sqlite:x.db", backend="sqlite:y.db")) == ("sqlite:x.db", "sqlite:y.db")
    made = app()
    made.config_from_object({"broker_url": "sqlite:x.db"})
    assert stores(made) == ("sqlite:x.db", "redis://of-celery/1")
    # A worker that is given another broker has its results there.
    made.conf.update(broker_url="sqlite:y.db", result_backend=None)
    assert stores(made) == ("sqlite:y.db", None)


@pytest.mark.parametrize(
    ("variable", "wanted"),
    [
        ("CARDOON_BROKER", (None, None)),
        ("CARDOON_BROKER__URL", (None, None)),
        ("CARDOON_BROKER_FILE", (None, None)),
        ("CARDOON_BROKER__URL_FILE", (None, None)),
        ("CARDOON_RESULTS", ("redis://of-celery/0", None)),
    ],
)
def test_cardoons_own_environment_goes_before_that_of_celery(
    variable: str, wanted: tuple[str | None, str | None], environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(variable, "sqlite:x.db")
    assert stores(app()) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('broker = "sqlite:x.db"', (None, None)),
        ('[broker]\nurl = "sqlite:x.db"', (None, None)),
        ('broker.url = "sqlite:x.db"', (None, None)),
        ('[broker]\nurl_file = "url"', (None, None)),
        ('[results]\nurl = "sqlite:x.db"', ("redis://of-celery/0", None)),
        ('# broker = "x"\n[worker]\nconcurrency = 3\n', ("redis://of-celery/0", "redis://of-celery/1")),
    ],
)
@pytest.mark.usefixtures("environment")
def test_a_file_of_settings_goes_before_the_environment_of_celery(
    text: str, wanted: tuple[str | None, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cardoon.toml").write_text(text)
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    assert stores(app()) == wanted
