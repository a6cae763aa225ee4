"""Exceptions: their codes, their texts, and that they travel between processes."""

from __future__ import annotations

import datetime
import importlib
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from cardoon import exceptions
from cardoon._outcome import exception_of
from cardoon.exceptions import (
    CardoonError,
    EncodeError,
    MaxRetriesExceededError,
    NotRegistered,
    Reject,
    Retry,
    TaskFailed,
    TaskRevokedError,
    WorkerLostError,
)

CODES = Path(__file__).parents[2] / "crates" / "errors" / "src" / "code.rs"


class Record:
    """Stands for what is known of an ended task."""

    def __init__(
        self, kind: str, message: str, details: str = "", state: str = "FAILURE", made_of: list[Any] | None = None
    ) -> None:
        self.failure = (kind, message, details) if kind else None
        self.state = state
        self.made_of = made_of

    def arguments(self) -> list[Any] | None:
        return self.made_of


def failed(kind: str, message: str = "no", details: str = "", state: str = "FAILURE") -> BaseException:
    return exception_of(Record(kind, message, details, state))  # type: ignore[arg-type]


def test_an_error_shows_its_code_what_was_checked_and_what_is_next() -> None:
    error = exceptions._of_core("CD1001", "Unavailable", "no server", ["refused"], ["port 1"], "start it")
    assert isinstance(error, exceptions.OperationalError) and isinstance(error, ConnectionError)
    assert str(error) == "[CD1001] no server\n  cause: refused\n  checked: port 1\n  next: start it"


def test_an_error_explains_itself_in_the_language_of_its_reader() -> None:
    error = CardoonError("no", code="CD1001")
    assert error.explain("C").startswith("# CD1001: ") and "    cardoon " in error.explain("C")
    assert "## 下一步" in error.explain("zh_CN.UTF-8")
    with pytest.raises(exceptions.NotFound, match="CD4005"):
        exceptions.explain("CD0000")


def test_the_locale_of_the_process_chooses_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "")
    monkeypatch.setenv("LC_MESSAGES", "zh_CN")
    assert "## 下一步" in exceptions.explain("CD1001")
    monkeypatch.setenv("LC_ALL", "C")
    assert "## Next" in exceptions.explain("CD1001")


@pytest.mark.skipif(not CODES.exists(), reason="the package is tested without its repository")
def test_every_code_that_the_package_names_exists() -> None:
    known = {f"CD{number}" for number in re.findall(r"^    (\d{4}) ", CODES.read_text(), re.MULTILINE)}
    package = Path(exceptions.__file__).parent
    named = {code for file in package.glob("*.py") for code in re.findall(r"CD\d{4}", file.read_text())}
    assert named and named <= known


@pytest.mark.parametrize(
    "error",
    [
        CardoonError("no", code="CD1001", kind="Unavailable", causes=["a"], checked=["b"], hint="c"),
        NotRegistered("no", code="CD3005"),
        TaskFailed("shop.Bug", "no"),
        TaskRevokedError("revoked"),
        Reject("no", requeue=True),
        Retry(None, ValueError("no"), 3.5, (1,), {"x": 2}),
        MaxRetriesExceededError("no", task_args=(1,), task_kwargs={"x": 2}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_exceptions_travel_between_processes(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error)
    assert {name: repr(value) for name, value in vars(again).items()} == {
        name: repr(value) for name, value in vars(error).items()
    }


def test_predicates_of_tasks_read_as_celerys() -> None:
    theirs = importlib.import_module("celery.exceptions")
    for arguments in ((None, None, 3), (None, ValueError("no"), 3), ("later", None, 3)):
        assert str(Retry(*arguments)) == str(theirs.Retry(*arguments))
    for name in ("Retry", "Ignore", "Reject"):
        assert issubclass(getattr(exceptions, name), exceptions.TaskPredicate)


def test_a_retry_is_so_many_seconds_away() -> None:
    now = datetime.datetime.now(datetime.timezone.utc)
    assert Retry(when=3).countdown() == 3 and Retry(when=-3).countdown() == 0 and Retry().countdown() == 0
    assert 50 < Retry(when=now + datetime.timedelta(minutes=1)).countdown() <= 60
    naive = (now + datetime.timedelta(hours=2, minutes=1)).replace(tzinfo=None)
    assert 50 < Retry(when=naive).countdown(datetime.timezone(datetime.timedelta(hours=2))) <= 60


def test_a_failed_task_raises_the_class_that_it_failed_with() -> None:
    assert repr(failed("ValueError")) == "ValueError('no')"
    assert str(failed("ValueError", "no", "Traceback …").__cause__) == "\nTraceback …"
    assert type(failed(f"{__name__}.Record")) is TaskFailed, "only exceptions are made"
    assert type(failed("SystemExit")) is TaskFailed
    assert type(failed("UnicodeDecodeError")) is TaskFailed, "it wants other arguments than a text"


def test_an_exception_is_made_anew_of_what_it_was_made_of() -> None:
    error = exception_of(Record("FileNotFoundError", "[Errno 2] gone", made_of=[2, "gone"]))  # type: ignore[arg-type]
    assert isinstance(error, FileNotFoundError) and (error.errno, error.args) == (2, (2, "gone"))
    error = exception_of(Record("UnicodeDecodeError", "no", made_of=["utf-8"]))  # type: ignore[arg-type]
    assert isinstance(error, TaskFailed) and error.message == "no"


def test_an_exception_of_an_unknown_class_says_which() -> None:
    error = failed("shop.Bug", "no", "Traceback …")
    assert isinstance(error, TaskFailed) and str(error) == "[CD3001] shop.Bug: no"
    assert (error.kind, error.traceback) == ("shop.Bug", "Traceback …")


def test_nothing_is_imported_for_a_result() -> None:
    assert type(failed("this.BrokenModule")) is TaskFailed
    import sys

    assert "this" not in sys.modules


def test_ends_of_cardoons_own_have_classes_and_codes() -> None:
    revoked = failed("", state="REVOKED")
    assert type(revoked) is TaskRevokedError and revoked.code == "CD3002" and "revoked" in str(revoked)
    assert type(failed("Expired")) is TaskRevokedError
    assert type(failed("WorkerLost")) is WorkerLostError
    assert type(failed("Rejected")) is exceptions.TaskRejectedError


def test_an_error_with_a_code_keeps_it_on_its_way() -> None:
    error = EncodeError("no", code="CD2006")
    again = failed("cardoon.exceptions.EncodeError", str(error))
    assert isinstance(again, EncodeError) and (again.code, str(again)) == ("CD2006", str(error))


def test_exceptions_are_caught_by_celerys_names() -> None:
    for error in (
        exceptions.OperationalError("no"),
        exceptions.ImproperlyConfigured("no"),
        exceptions.NotRegistered("no"),
        exceptions.TaskRevokedError("no"),
        exceptions.MaxRetriesExceededError("no"),
        exceptions.Retry("later"),
        exceptions.Reject("no"),
    ):
        assert isinstance(error, exceptions.CeleryError), error
    assert exceptions.BackendError is exceptions.OperationalError
    assert not issubclass(exceptions.SoftTimeLimitExceeded, exceptions.CeleryError)
    assert type(failed("ChordError", "one of them failed")) is exceptions.ChordError
