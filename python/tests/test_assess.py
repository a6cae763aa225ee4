"""`cardoon assess` on projects of real Celery, as a user starts it."""

from __future__ import annotations

import importlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

celery = importlib.import_module("celery")

TESTS = Path(__file__).parent
PROJECTS = TESTS / "assess_projects"
PACKAGE = TESTS.parent / "lib" / "cardoon" / "assess"
DEADLINE_SECS = 60


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package `cardoon` with this command and a compiled module that nobody may import."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "cardoon").mkdir()
    # Without it an installed package would go before this folder.
    (folder / "cardoon" / "__init__.py").touch()
    (folder / "cardoon" / "assess").symlink_to(PACKAGE)
    (folder / "cardoon" / "_core.py").write_text("raise SystemExit('the compiled module was imported')\n")
    return folder


class Command:
    """Starts `python -m cardoon.assess`."""

    def __init__(self, home: Path, folder: Path = PROJECTS) -> None:
        self.home = home
        self.folder = folder

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "CELERY"))}
        return subprocess.run(
            [sys.executable, "-m", "cardoon.assess", *arguments],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(self.home), "PYTHONDONTWRITEBYTECODE": "1", **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=DEADLINE_SECS,
        )

    def findings(self, app: str) -> list[dict[str, Any]]:
        result = self.run("-A", app, "-o", "json")
        assert result.returncode in (0, 1), result.stderr
        findings: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
        return findings

    def places(self, app: str) -> dict[str, set[str]]:
        """The ids that are found, and where."""
        places: dict[str, set[str]] = {}
        for finding in self.findings(app):
            places.setdefault(finding["id"], set()).add(finding["where"]["name"])
        return places


@pytest.fixture
def command(home: Path) -> Command:
    return Command(home)


CLEAN = """\
from celery import Celery
app = Celery("app", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")
app.conf.task_acks_late = True
app.conf.task_reject_on_worker_lost = True
app.conf.worker_enable_remote_control = False
@app.task
def add(x, y):
    return x + y
"""


class Workshop:
    """Writes a clean project with some lines more, and asks what is found in it."""

    def __init__(self, command: Command) -> None:
        self.command = command

    def places(self, *lines: str) -> dict[str, set[str]]:
        self.write(*lines)
        places = self.command.places("app")
        places.pop("canvas")
        return places

    def write(self, *lines: str) -> None:
        (self.command.folder / "app.py").write_text(CLEAN + "\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def workshop(home: Path, tmp_path: Path) -> Workshop:
    return Workshop(Command(home, tmp_path))


def test_in_a_clean_project_only_the_note_about_workflows_is_found(command: Command) -> None:
    result = command.run("-A", "clean", "-o", "json")
    document = json.loads(result.stdout)
    assert [finding["id"] for finding in document["findings"]] == ["canvas"]
    assert (document["app"], document["tasks"], document["celery"]) == ("clean", 1, celery.__version__)
    assert document["counts"] == {"loses-tasks": 0, "unsupported": 0, "differs": 0, "info": 1}
    assert result.returncode == 0
    assert result.stderr == ""


@pytest.mark.parametrize(
    "name",
    ["clean", "clean:app", "clean.app", "named_celery", "named_otherwise", "shop", "shop.celery", "shop.celery:app"],
)
def test_the_application_is_found_in_the_forms_of_celery(command: Command, name: str) -> None:
    assert command.run("-A", name).returncode in (0, 1)


def test_tasks_of_a_project_are_found_with_their_lines(command: Command) -> None:
    findings = command.findings("shop")
    bound = next(finding for finding in findings if finding["id"] == "bound-task")
    lines = (PROJECTS / "shop" / "tasks.py").read_text().splitlines()
    assert bound["where"]["name"] == "shop.tasks.bound"
    assert bound["where"]["file"] == "shop/tasks.py"
    assert "def bound" in "".join(lines[bound["where"]["line"] - 1 :][:4])


def test_what_tasks_do_is_found(command: Command) -> None:
    tasks = "shop.tasks."
    places = command.places("shop")
    assert {id_: {name.removeprefix(tasks) for name in names} for id_, names in places.items()} == {
        "early-ack-chosen": {"early"},
        "worker-lost-ack": {"lost_with_its_process"},
        "failure-dropped": {"many_options"},
        "eta-redelivery": {"too_patient", "slow_to_retry"},
        "long-run": {"many_options"},
        "long-expires": {"many_options"},
        "serializer-refused": {"many_options"},
        "compression": {"many_options"},
        "rate-limit": {"many_options"},
        "time-limit": {"many_options"},
        "priority": {"many_options"},
        "track-started": {"many_options"},
        "ignore-result": {"many_options"},
        "custom-call": {"counted"},
        "task-handlers": {"counted"},
        "custom-send": {"counted"},
        "custom-request": {"requested"},
        "bound-task": {"bound", "replaced"},
        "chosen-id": {"send_once"},
        "endless-retries": {"bound"},
        "async-task": {"awaited"},
        "autoretry": {"patient", "too_patient"},
        "canvas-in-task": {"checkout", "checkout_by_module", "checkout_by_import", "replaced"},
        "canvas": {"chain, group, chord"},
        "prefetch": {"worker_prefetch_multiplier"},
        "misspelt-setting": {"CELERY_TASK_ACK_LATE"},
        "unknown-setting": {"CELERY_WAREHOUSE"},
    }


def test_what_hooks_into_the_worker_is_found(command: Command) -> None:
    findings = command.findings("hooks")
    found = {(finding["id"], finding["where"]["name"], finding["where"]["value"]) for finding in findings}
    assert found == {
        ("worker-extension", "hooks.Probe", None),
        ("control-command", "shelf_count", None),
        ("signal-not-sent", "worker_ready", "hooks.announce"),
        ("signal-not-sent", "worker_init", "hooks.connect_database"),
        ("signal-not-sent", "worker_shutdown", "hooks.Meter.stop"),
        ("signal-not-sent", "task_revoked", "hooks.announce"),
        ("signal-in-child", "task_prerun", "hooks.note_start"),
        ("signal-logging", "setup_logging", "hooks.set_up"),
        ("canvas", "chain, group, chord", None),
    }
    assert all(finding["where"]["line"] for finding in findings if finding["where"]["kind"] != "messages")


def test_what_beat_sends_is_found(command: Command) -> None:
    places = command.places("periodic")
    schedule = next(finding for finding in command.findings("periodic") if finding["id"] == "beat-schedule")
    assert places == {
        "beat-scheduler": {"beat_scheduler"},
        "beat-solar": {"at-dawn"},
        "beat-custom-schedule": {"at-low-tide"},
        "beat-schedule": {"beat_schedule"},
        "beat-unknown-task": {"of-nobody"},
        "beat-id": {"of-nobody"},
        "eta-redelivery": {"at-night"},
        "long-expires": {"every-hour"},
        "canvas": {"chain, group, chord"},
    }
    assert schedule["where"]["value"].startswith("added, at-night, every-hour, every-minute")


def test_queues_and_routes_are_found(command: Command) -> None:
    places = command.places("routed")
    assert places == {
        "queue-exchange": {"news", "everybody"},
        "queue-priority": {"urgent"},
        "queue-arguments": {"short"},
        "routes-function": {"task_routes"},
        "queues": {"task_queues"},
        "canvas": {"chain, group, chord"},
    }
    routers = {
        finding["where"]["value"] for finding in command.findings("routed") if finding["id"] == "routes-function"
    }
    assert routers == {"routed.by_size"}


SETTINGS = [
    ("task_acks_late = False", "early-ack-chosen"),
    ("task_acks_on_failure_or_timeout = False", "failure-dropped"),
    ("task_reject_on_worker_lost = False", "worker-lost-ack"),
    ("worker_eta_task_limit = 100", "eta-limit unknown-setting"),
    ("accept_content = ['json', 'pickle']", "pickle-accepted"),
    ("accept_content = ['application/json', 'application/x-python-serialize']", "pickle-accepted"),
    ("task_serializer = 'pickle'", "serializer-refused"),
    ("task_serializer = 'yaml'; app.conf.accept_content = ['yaml']", "other-serializer"),
    ("task_serializer = 'auth'; app.conf.accept_content = ['auth']", "auth-serializer"),
    ("task_serializer = 'own'; app.conf.accept_content = ['own']", "custom-serializer"),
    ("result_serializer = 'msgpack'", "result-serializer"),
    ("task_compression = 'brotli'", "compression"),
    ("task_protocol = 1", "old-protocol"),
    ("security_certificate = '/etc/ssl/shop.pem'", "message-signing"),
    ("worker_pool = 'gevent'", "pool-green"),
    ("worker_pool = 'eventlet'", "pool-green"),
    ("worker_pool = 'shop.pools:Pool'", "pool-custom"),
    ("worker_pool = 'solo'", "pool-solo"),
    ("worker_pool = 'threads'", "pool-threads"),
    ("worker_pool = 'prefork'", "pool-prefork"),
    ("worker_prefetch_multiplier = 1", "prefetch"),
    ("worker_concurrency = 8", "concurrency"),
    ("worker_max_tasks_per_child = 100", "recycle-tasks"),
    ("worker_max_memory_per_child = 200000", "recycle-memory"),
    ("worker_autoscaler = 'shop.scale:Autoscaler'", "autoscaler"),
    ("worker_soft_shutdown_timeout = 10.0", "shutdown-grace unknown-setting"),
    ("worker_consumer = 'shop.consumer:Consumer'", "worker-extension"),
    ("broker_url = 'amqp://localhost//'", "broker-unsupported"),
    ("broker_url = 'sqs://'", "broker-unsupported"),
    ("broker_url = 'sqla+sqlite:///shop.db'", "broker-unsupported"),
    ("broker_url = 'redis://localhost:6379/0;redis://localhost:6380/0'", "broker-failover"),
    ("broker_read_url = 'redis://replica:6379/0'", "broker-split"),
    ("broker_url = 'sentinel://localhost:26379'", "sentinel-url"),
    ("broker_use_ssl = True", "tls-options"),
    ("broker_url = 'rediss://localhost:6379/0?ssl_cert_reqs=none'", "tls-unchecked"),
    ("broker_use_ssl = {'ssl_certfile': '/etc/a.pem'}", "tls-options tls-client-certificate"),
    ("broker_transport_options = {'visibility_timeout': 7200}", "visibility-timeout"),
    ("broker_transport_options = {'global_keyprefix': 'shop:'}", "redis-layout"),
    ("broker_transport_options = {'sep': ':'}", "redis-layout"),
    ("broker_transport_options = {'priority_steps': [0, 5]}", "redis-layout"),
    ("broker_transport_options = {'queue_order_strategy': 'priority'}", "queue-order"),
    ("broker_transport_options = {'fanout_prefix': True}", "transport-option"),
    ("result_backend = 'rpc://'", "backend-unsupported"),
    ("result_backend = 'db+sqlite:///results.db'", "backend-unsupported"),
    ("result_backend = 'django-db'", "backend-unsupported"),
    ("result_backend = None", "no-results"),
    ("result_backend = 'redis://localhost:6379/1'", "results-apart"),
    ("result_backend = 'redis://localhost/0'", ""),
    ("result_expires = 3600", "result-expires"),
    ("result_expires = None", "result-expires"),
    ("task_ignore_result = True", "ignore-result"),
    ("task_default_rate_limit = '10/s'", "rate-limit"),
    ("task_default_rate_limit = '10/s'; app.conf.worker_disable_rate_limits = True", ""),
    ("task_time_limit = 30", "time-limit"),
    ("task_soft_time_limit = 30; app.conf.worker_pool = 'threads'", "time-limit-pool pool-threads"),
    ("task_annotations = {'*': {'time_limit': 30}, 'app.add': {'soft_time_limit': 20}}", "annotations"),
    ("task_annotations = [{'app.add': {'time_limit': 30}}]", "annotations"),
    ("task_annotations = {'app.add': {'rate_limit': '1/s'}}", "annotations rate-limit"),
    ("task_track_started = True", "track-started"),
    ("task_always_eager = True", "always-eager"),
    ("task_default_priority = 3", "priority"),
    ("task_default_exchange_type = 'topic'", "queue-exchange"),
    ("task_queue_max_priority = 10", "queue-priority"),
    ("task_queues = {'celery': {'exchange_type': 'fanout'}}", "queue-exchange"),
    ("task_default_queue = 'shop'", "queues"),
    ("task_routes = {'app.*': {'queue': 'shop'}}", ""),
    ("worker_direct = True", "worker-direct"),
    ("worker_enable_remote_control = True", "remote-control"),
    ("worker_send_task_events = True", "celery-events"),
    ("task_send_sent_event = True", "celery-events"),
    ("broker_connection_retry_on_startup = True", "ignored-setting unknown-setting"),
    ("task_ack_late = True", "misspelt-setting"),
    ("task_shelf = 3", "unknown-setting"),
]


@pytest.mark.parametrize(("line", "expected"), SETTINGS, ids=[line for line, _ in SETTINGS])
def test_a_setting_is_found(workshop: Workshop, line: str, expected: str) -> None:
    found = set(workshop.places(f"app.conf.{line}"))
    # An older Celery does not know some settings; then they are found as unknown ones.
    if "unknown-setting" in expected and " " in expected:
        assert found in [{id_} for id_ in expected.split()]
    else:
        assert found == set(expected.split())


def test_every_finding_is_triggered_by_some_project(command: Command) -> None:
    by_settings = {id_ for _, ids in SETTINGS for id_ in ids.split()}
    by_projects = {id_ for project in ("shop", "hooks", "periodic", "routed") for id_ in command.places(project)}
    script = "from cardoon.assess.findings import SEVERITY; print(*SEVERITY)"
    environment = {**os.environ, "PYTHONPATH": str(command.home), "PYTHONDONTWRITEBYTECODE": "1"}
    known = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_SECS,
    )
    # The default is tested by itself, because a setting in a project is a choice.
    assert set(known.stdout.split()) - by_settings - by_projects == {"early-ack"}


def test_the_default_of_early_acknowledgement_loses_tasks(home: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "from celery import Celery\n"
        "app = Celery('app', broker='redis://localhost:6379/0')\n"
        "@app.task\ndef one(): pass\n"
        "@app.task(acks_late=True, reject_on_worker_lost=True)\ndef two(): pass\n"
    )
    findings = Command(home, tmp_path).findings("app")
    assert findings[0]["id"] == "early-ack"
    assert findings[0]["severity"] == "loses-tasks"
    assert "1 of 2 tasks" in findings[0]["celery"]
    assert findings[0]["fix"].startswith("app.conf.task_acks_late = True")


def test_without_a_broker_the_default_of_celery_counts(home: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from celery import Celery\napp = Celery('app')\n")
    broker = [it for it in Command(home, tmp_path).findings("app") if it["id"] == "broker-unsupported"]
    assert "amqp" in broker[0]["celery"]


def test_the_environment_counts_as_it_does_for_celery(workshop: Workshop) -> None:
    workshop.write()
    result = workshop.command.run("-A", "app", "-o", "json", CELERY_BROKER_URL="amqp://localhost//")
    assert "broker-unsupported" in result.stdout


def test_old_names_of_settings_are_understood(home: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "from celery import Celery\n"
        "app = Celery('app')\n"
        "app.config_from_object(dict(BROKER_URL='redis://localhost', CELERY_RESULT_BACKEND='redis://localhost',\n"
        "    CELERY_ACKS_LATE=False, CELERYD_PREFETCH_MULTIPLIER=1))\n"
    )
    places = Command(home, tmp_path).places("app")
    assert places["early-ack-chosen"] == {"task_acks_late"}
    assert places["prefetch"] == {"worker_prefetch_multiplier"}
    assert "unknown-setting" not in places


def test_names_for_the_use_of_a_settings_module_are_no_settings(home: Path, tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(
        "import os\nredis_host = 'localhost'\nshelves = 3\nbroker_url = 'redis://' + redis_host\n"
    )
    (tmp_path / "app.py").write_text("from celery import Celery\napp = Celery('app')\napp.config_from_object('conf')\n")
    places = Command(home, tmp_path).places("app")
    assert "unknown-setting" not in places


def test_fixes_settle_their_findings(workshop: Workshop) -> None:
    workshop.write(
        "app.conf.task_acks_late = False",
        "app.conf.task_reject_on_worker_lost = False",
        "app.conf.task_serializer = 'pickle'",
        "app.conf.result_backend = 'rpc://'",
        "app.conf.worker_pool = 'gevent'",
        "app.conf.worker_enable_remote_control = True",
    )
    findings = workshop.command.findings("app")
    fixes = [finding["fix"] for finding in findings if finding["fix"].startswith("app.conf.")]
    places = workshop.places(*fixes, "app.conf.task_reject_on_worker_lost = True", "app.conf.accept_content = ['json']")
    assert len(fixes) >= 4
    settled = {"early-ack-chosen", "worker-lost-ack", "backend-unsupported", "pool-green", "remote-control"}
    assert not settled & set(places)


def test_what_only_differs_is_no_failure(workshop: Workshop) -> None:
    workshop.write("app.conf.task_always_eager = True")
    assert workshop.command.run("-A", "app").returncode == 0
    workshop.write("app.conf.worker_pool = 'gevent'")
    assert workshop.command.run("-A", "app").returncode == 1


def test_a_sentinel_gets_its_url(workshop: Workshop) -> None:
    workshop.write(
        "app.conf.broker_url = 'sentinel://:hunter2@one:26379;sentinel://:hunter2@two:26379/3'",
        "app.conf.broker_transport_options = {'master_name': 'shop'}",
    )
    finding = next(it for it in workshop.command.findings("app") if it["id"] == "sentinel-url")
    assert finding["fix"] == "CARDOON_BROKER=redis+sentinel://USER:PASSWORD@one:26379,two:26379/shop/3"


@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_passwords_never_appear(command: Command, output: str, lang: str) -> None:
    result = command.run("-A", "secretive", "-o", output, "--lang", lang)
    assert result.returncode == 1
    assert "hunter2" not in result.stdout + result.stderr


def test_an_application_that_cannot_be_imported_shows_the_lines_of_its_user(command: Command) -> None:
    result = command.run("-A", "broken")
    assert result.returncode == 6
    assert result.stdout == ""
    *_, line, error = result.stderr.strip().splitlines()
    assert line.strip() == "import a_module_that_is_not_installed"
    assert error == "ModuleNotFoundError: No module named 'a_module_that_is_not_installed'"
    assert "cardoon/assess" not in result.stderr


def test_a_task_module_that_fails_shows_its_lines_without_its_password(command: Command) -> None:
    result = command.run("-A", "broken_tasks")
    assert result.returncode == 6
    assert "in shelve" in result.stderr
    assert result.stderr.count("Traceback") == 1
    assert result.stderr.strip().splitlines()[-1] == "RuntimeError: no shelf at redis://***@localhost:6379/0"


def test_an_application_that_exits_is_not_imported(command: Command) -> None:
    result = command.run("-A", "exits")
    assert result.returncode == 6
    assert "set SHOP_ENVIRONMENT first" in result.stderr


@pytest.mark.parametrize("name", ["no_such_module", "clean:nothing", "not_an_app", "broken.nothing"])
def test_a_name_that_leads_nowhere_is_not_imported(command: Command, name: str) -> None:
    result = command.run("-A", name)
    assert (result.returncode, result.stdout) == (6, "")
    assert name.split(":")[0] in result.stderr
    assert len(result.stderr.splitlines()) <= 3


@pytest.mark.parametrize(
    "arguments",
    [[], ["-A"], ["-A", "clean", "-o", "yaml"], ["-A", "clean", "--lang", "fr"], ["-A", "clean", "more"], ["--what"]],
)
def test_wrong_usage_has_status_2(command: Command, arguments: list[str]) -> None:
    result = command.run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert "--help" in result.stderr


def test_help_is_data(command: Command) -> None:
    result = command.run("--help", LANG="zh_CN.UTF-8")
    assert result.returncode == 0
    assert "用法：cardoon assess -A APP" in result.stdout


def test_what_the_project_prints_is_talk(command: Command) -> None:
    result = command.run("-A", "chatty", "-o", "json")
    assert json.loads(result.stdout)["app"] == "chatty"
    assert "hello from the project" in result.stderr
    assert "hello from a child" in result.stderr


def test_the_language_is_that_of_the_locale_unless_it_is_named(command: Command) -> None:
    assert "供参考" in command.run("-A", "clean", LANG="zh_CN.UTF-8").stdout
    assert "供参考" in command.run("-A", "clean", LC_ALL="zh_CN.UTF-8", LANG="de_DE.UTF-8").stdout
    assert "info" in command.run("-A", "clean", "--lang=en", LANG="zh_CN.UTF-8").stdout
    assert "供参考" in command.run("-A", "clean", "--lang", "zh").stdout


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_table_is_readable_at_100_columns(command: Command, lang: str) -> None:
    result = command.run("-A", "shop", "--lang", lang)
    assert all(len(line) <= 100 for line in result.stdout.splitlines())
    assert "shop.tasks.slow_to_retry default_retry_delay=7200 (shop/tasks.py:" in result.stdout


def test_many_places_are_cut_in_the_table_and_whole_in_json(workshop: Workshop) -> None:
    workshop.write(*(f"@app.task(bind=True)\ndef t{number}(self): pass" for number in range(30)))
    assert "and 18 more" in workshop.command.run("-A", "app").stdout
    assert sum(finding["id"] == "bound-task" for finding in workshop.command.findings("app")) == 30


def test_a_name_cannot_give_orders_to_the_terminal(workshop: Workshop) -> None:
    workshop.write("@app.task(name='a\\x1b[2Jb\\u202e', bind=True)", "def wild(self): pass")
    for output in ("table", "json"):
        text = workshop.command.run("-A", "app", "-o", output).stdout
        assert "\x1b" not in text and "\u202e" not in text
    assert "a\x1b[2Jb\u202e" in workshop.command.places("app")["bound-task"]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_neither_broker_nor_results_are_connected_to(workshop: Workshop, listener: socket.socket) -> None:
    url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
    places = workshop.places(
        f"app.conf.broker_url = {url!r}",
        f"app.conf.result_backend = {url!r}",
        "app.conf.beat_schedule = {'add': {'task': 'app.add', 'schedule': 60}}",
        "app.conf.task_queues = {'celery': {}}",
    )
    assert set(places) == {"beat-schedule"}
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_a_reader_who_has_gone_away_is_no_error(home: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(home)}
    script = f"{sys.executable} -m cardoon.assess -A shop -o json | true"
    result = subprocess.run(
        ["bash", "-c", script], cwd=PROJECTS, env=environment, capture_output=True, text=True, timeout=DEADLINE_SECS
    )
    assert result.stderr == ""
