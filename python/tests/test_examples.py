"""The examples and the documents for Python, run as a reader runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from helpers.ports import quiet_port
from helpers.waiting import until

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "python" / "examples"
DOCUMENTS = [
    REPOSITORY / "docs" / language / page
    for language in (".", "zh")
    for page in ("python.md", "coming-from-celery.md", "http.md", "settings.md", "operations.md", "verify.md")
] + sorted(EXAMPLES.glob("*/README*.md"))
DEADLINE_SECS = 100


class Folder:
    """A folder in which commands are started. What still runs at the test's end is killed."""

    def __init__(self, path: Path, **environment: str) -> None:
        self.path = path
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("CARDOON_", "LANG", "LC_"))}
        self.environment = {**ours, "PYTHONUNBUFFERED": "1", **environment}
        self.started: list[subprocess.Popen[bytes]] = []

    def run(self, *command: str, status: int = 0) -> str:
        """Runs a program of Python to its end, and answers what it printed."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECS,
        )
        assert done.returncode == status, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, log: str, *command: str) -> subprocess.Popen[bytes]:
        """Starts a program of Python whose output goes to a file."""
        with (self.path / log).open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *command], cwd=self.path, env=self.environment, stdout=output, stderr=output
            )
        self.started.append(process)
        return process

    def worker(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        return self.start(f"{name}.log", "-m", "cardoon", "worker", "-A", "tasks", "-n", name, *options)

    def log(self, name: str) -> str:
        return (self.path / f"{name}.log").read_text(errors="replace")

    def close(self) -> None:
        for process in self.started:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
        for process in self.started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Page:
    """The mail example's web page."""

    def __init__(self, folder: Folder) -> None:
        port = quiet_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = folder.start("page.log", "-m", "flask", "run", "--port", str(port))
        until(self.answers, "the page answers")

    def answers(self) -> bool:
        with suppress(OSError):
            return "POST" in self.ask("/send")[1]
        return False

    def ask(self, path: str, form: str | None = None) -> tuple[int, str]:
        """Status and text. With a form, even an empty one, it is a POST."""
        data = None if form is None else form.encode()
        try:
            with urlopen(Request(self.url + path, data), timeout=30) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def send(self, form: str = "") -> dict[str, Any]:
        status, text = self.ask("/send", form)
        assert status == 202, text
        answer: dict[str, Any] = json.loads(text)
        return answer

    def progress(self, batch: str) -> dict[str, Any]:
        status, text = self.ask(f"/progress?id={batch}")
        assert status == 200, text
        answer: dict[str, Any] = json.loads(text)
        return answer


def example(name: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=shutil.ignore_patterns(".*", "__pycache__")))


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(example("mail", tmp_path), MAIL_SECONDS="0.02", FLASK_APP="app.py")
    yield folder
    folder.close()


def queues(folder: Folder) -> dict[str, dict[str, Any]]:
    listed = json.loads(folder.run("-m", "cardoon", "queue", "list", "-o", "json"))
    return {queue["queue"]: queue for queue in listed}


def test_two_workers_send_a_thousand_mails_and_the_page_says_how_far_they_are(mail: Folder) -> None:
    mail.worker("first", "-c", "4", "--loglevel=info")
    mail.worker("second", "-c", "4", "--loglevel=info")
    page = Page(mail)
    answer = page.send()
    assert answer["submitted"] == 1000
    progress = until(lambda: ended(page, answer["id"]), "all mails are sent", DEADLINE_SECS)
    assert progress == {"sent": 1000, "waiting": 0, "failed": []}
    sent = re.findall(r"sent to (user\d+@example\.com)", mail.log("first") + mail.log("second"))
    assert sorted(sent) == sorted(f"user{number}@example.com" for number in range(1000))
    assert "sent to" in mail.log("first") and "sent to" in mail.log("second")


def ended(page: Page, batch: str) -> dict[str, Any] | None:
    progress = page.progress(batch)
    return progress if progress["waiting"] == 0 else None


def test_no_mail_is_missing_when_a_worker_is_killed(mail: Folder) -> None:
    killed = mail.worker("killed", "-c", "4")
    mail.worker("living", "-c", "4")
    page = Page(mail)
    batch = page.send()["id"]
    until(lambda: mail.log("killed").count("sent to") > 50, "the worker is at work")
    killed.kill()
    progress = until(lambda: ended(page, batch), "all mails are sent", DEADLINE_SECS)
    assert progress == {"sent": 1000, "waiting": 0, "failed": []}


def test_a_get_sends_nothing_and_mails_of_a_later_time_wait(mail: Folder) -> None:
    page = Page(mail)
    assert page.ask("/send")[0] == 200
    assert page.ask("/")[0] == 200
    batch = page.send("at=2099-01-31T08:00")["id"]
    assert page.progress(batch) == {"sent": 0, "waiting": 1000, "failed": []}
    assert (queues(mail)["celery"]["ready"], queues(mail)["celery"]["delayed"]) == (0, 1000)
    assert page.ask("/send", "at=soon")[0] == 400
    assert page.ask("/progress?id=nobody")[0] == 404


def test_the_schedule_of_the_mails_is_at_eight_in_shanghai(mail: Folder) -> None:
    listed = mail.run("-m", "cardoon", "beat", "-A", "tasks", "--list")
    assert re.search(r"every-morning\s+tasks\.mail_everybody\s+0 8 \* \* \* Asia/Shanghai", listed)


def test_a_task_of_the_schedule_sends_a_mail_to_everybody(mail: Folder) -> None:
    mail.worker("only", "-c", "4")
    assert "1000" in mail.run("-m", "cardoon", "send", "tasks.mail_everybody", "--wait")
    until(lambda: mail.log("only").count("sent to") >= 1000, "all mails are sent", DEADLINE_SECS)


def test_every_page_is_fetched_although_three_of_ten_workers_are_killed(tmp_path: Path) -> None:
    folder = Folder(example("crawler", tmp_path))
    printed = folder.run("crawl.py", "--pages", "90", "--seconds-per-page", "0.1")
    assert "killed 3 of 10 workers" in printed
    assert re.search(r"pages fetched +90 of 90", printed)
    twice = re.search(r"fetched twice +(\d+)", printed)
    assert twice is not None and int(twice[1]) <= 6, printed
    assert re.search(r"tried again +[1-9]", printed)


def test_threads_and_processes_are_measured_and_one_is_advised_for_each_work(tmp_path: Path) -> None:
    folder = Folder(example("images", tmp_path))
    printed = folder.run("measure.py", "--scale", "0.05")
    assert re.search(r"threads +processes", printed)
    for work in ("darken, in Python", "blur, by Pillow", "download, waits"):
        assert re.search(rf"{work} +\d+\.\d\d +\d+\.\d\d", printed), printed
        assert re.search(rf"{work}: take (threads|processes)", printed), printed


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)


def commands(document: Path) -> list[str]:
    lines = (line.strip() for block in blocks(document, "sh") for line in block.splitlines())
    return [line.partition(" #")[0].strip() for line in lines if line.startswith("cardoon ")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(REPOSITORY)))
def test_what_a_document_shows_can_be_typed(document: Path, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for command in commands(document):
        # Help is printed only if all that stands before it is understood.
        words = re.sub(r"'[^']*'", "[]", command).split()[1:]
        help_text = folder.run("-m", "cardoon", *words, "--help")
        assert "Usage" in help_text or "用法" in help_text, command
    for block in blocks(document, "python"):
        compile(block, str(document), "exec")


@pytest.mark.parametrize(("folder", "language"), [(".", "en"), ("zh", "zh")], ids=["en", "zh"])
def test_the_guide_shows_what_the_assessment_says(folder: str, language: str, tmp_path: Path) -> None:
    guide = REPOSITORY / "docs" / folder / "coming-from-celery.md"
    [project] = [block for block in blocks(guide, "python") if block.startswith("# proj.py\n")]
    (tmp_path / "proj.py").write_text(project, encoding="utf-8")
    said = Folder(tmp_path).run("-m", "cardoon", "assess", "-A", "proj", "--lang", language, status=1)
    [shown] = blocks(guide, "text")
    assert said.strip() == re.sub(r"Celery [\d.]+", celery_version(said), shown, count=1).strip()


def celery_version(said: str) -> str:
    """The version may be another one than in the guide."""
    found = re.search(r"Celery [\d.]+", said)
    assert found is not None, said
    return found[0]


@pytest.fixture(params=[".", "zh"], ids=["en", "zh"])
def quickstart(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    """The files of the quickstart: blocks that begin with a file's name, one behind the other."""
    for block in blocks(REPOSITORY / "docs" / request.param / "python.md", "python"):
        name = re.match(r"# (\w+\.py)\n", block)
        if name is not None:
            with (tmp_path / name[1]).open("a", encoding="utf-8") as file:
                file.write(block)
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def test_the_quickstart_is_true(quickstart: Folder) -> None:
    quickstart.worker("only", "-c", "4")
    assert quickstart.run("send.py").splitlines() == ["5", "fetched after 1 retry", "gave up in time"]
    assert "every-ten-minutes" in quickstart.run("-m", "cardoon", "beat", "-A", "tasks", "--list")
    assert "[2, 4, 6]" in quickstart.run("later.py")


def test_the_tests_of_the_quickstart_pass(quickstart: Folder) -> None:
    assert "passed" in quickstart.run("-m", "pytest", "-q", "test_tasks.py")
