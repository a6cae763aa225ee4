"""How tasks end: values, failures, retries and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from cardoon import AsyncResult
from cardoon.exceptions import MaxRetriesExceededError, TaskError
from helpers.project import Project
from helpers.waiting import DEADLINE_SECS, until

TASKS = """
from cardoon import Task
import decimal, uuid

class Odd:
    pass

@app.task
def value(kind):
    return {
        "object": lambda: {"list": [1, 2, Odd()]},
        "bytes key": lambda: {b"key": 1},
        "cycle": cycle,
        "deep": deep,
        "lone surrogate": lambda: "\\udc80",
        "nan": lambda: float("nan"),
        "generator": lambda: (n for n in range(3)),
        "class": lambda: Odd,
    }[kind]()

def cycle():
    value = []
    value.append(value)
    return value

def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return value

@app.task
def huge(size):
    return "x" * size

@app.task
def quick(n):
    return n

class NoText(Exception):
    def __str__(self):
        raise RuntimeError("no text for you")
    __repr__ = __str__

class ExitText(Exception):
    def __str__(self):
        raise SystemExit("in a text")

class TextOfNumber(Exception):
    def __str__(self):
        return 7

class Picky(Exception):
    def __init__(self, code, *, reason):
        super().__init__(f"{code}: {reason}")
        self.code = code

class Unpicklable(Exception):
    def __init__(self):
        super().__init__("holds a function")
        self.function = lambda: None

class Group(Exception):
    pass

@app.task
def fails(kind):
    helper(kind)

def helper(kind):
    if kind == "chained":
        try:
            {}["missing"]
        except KeyError as error:
            raise ValueError("from the other") from error
    if kind == "recursion":
        return helper(kind)
    if kind == "group":
        raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])
    if kind == "long":
        raise ValueError("x" * 1_000_000)
    if kind == "surrogates":
        raise ValueError("a file named \\udcff, 你好")
    if kind == "name":
        raise type("Cl\\xe4ss", (Exception,), {})("of another alphabet")
    if kind == "stop":
        raise StopIteration("a value")
    raise {"no text": NoText, "exit text": ExitText, "number": TextOfNumber, "unpicklable": Unpicklable,
           "picky": lambda: Picky(7, reason="wrong"), "key": lambda: KeyError("a key"),
           "os": lambda: FileNotFoundError(2, "No such file", "x.txt"), "class": lambda: ValueError}[kind]()

@app.task
def two(a, b):
    return inner(a, b)

def inner(a):
    return a

@app.task(bind=True)
def ignores(self):
    note("ignores", self.request.retries)
    raise Ignore()

@app.task
def rejects():
    note("rejects")
    raise Reject("not mine", requeue=False)

@app.task
def rejects_twice():
    note("rejects")
    if len(open("notes").readlines()) < 3:
        raise Reject("not yet", requeue=True)
    return "taken"

@app.task
def rejects_oddly():
    raise Reject(NoText())

@app.task(bind=True, max_retries=3)
def retries(self, least):
    note("try", self.request.retries, self.request.id)
    if self.request.retries < least:
        raise self.retry(countdown=0.05)
    return self.request.retries

@app.task(bind=True, max_retries=2)
def retries_with(self, error):
    note("try", self.request.retries)
    try:
        raise ValueError("the cause")
    except ValueError as problem:
        raise self.retry(exc=problem if error else None, countdown=0)

@app.task(bind=True, max_retries=1)
def retries_out(self):
    self.retry(countdown=0)

@app.task(bind=True, max_retries=None)
def retries_for_ever(self):
    note("try", self.request.retries)
    if self.request.retries < 8:
        raise self.retry(countdown=0)
    return "at last"

@app.task(bind=True)
def retries_changed(self, n):
    note("try", n)
    if n < 3:
        raise self.retry(args=(n + 1,), countdown=0)
    return n

@app.task(bind=True, max_retries=5)
def retries_oddly(self, when):
    if self.request.retries == 0:
        raise self.retry(countdown=float(when))
    return "again"

@app.task(bind=True, autoretry_for=(ValueError,), default_retry_delay=0, max_retries=3)
def automatic(self, kind):
    note("try", self.request.retries)
    raise {"value": ValueError, "key": KeyError}[kind](kind)

@app.task(bind=True, autoretry_for=(ValueError,), max_retries=2,
          retry_backoff=True, retry_backoff_max=2, retry_jitter=False)
def backed_off(self):
    note("tried", time.monotonic())
    raise ValueError

@app.task(bind=True, autoretry_for=(Exception,), dont_autoretry_for=(KeyError,), max_retries=2, default_retry_delay=0)
def automatic_but(self, kind):
    note("try", self.request.retries)
    raise {"value": ValueError, "key": KeyError}[kind](kind)

@app.task(throws=(KeyError,))
def expected():
    raise KeyError("expected")

class Hooked(Task):
    def before_start(self, *_):
        note("before_start")
    def on_success(self, *_):
        note("on_success")
    def on_failure(self, *_):
        note("on_failure")
        sys.exit("in a hook")
    def on_retry(self, *_):
        note("on_retry")
        raise RuntimeError("in a hook")
    def after_return(self, status, *_):
        note("after_return", status)

@app.task(base=Hooked, bind=True, max_retries=2, default_retry_delay=0)
def hooked(self, how):
    if how == "fails":
        raise ValueError("x")
    if how == "retries" and not self.request.retries:
        raise self.retry()
    return how
"""


@pytest.fixture
def running(project: Project) -> Project:
    project.write(TASKS)
    project.worker()
    return project


def kind_of(error: Any) -> str:
    return getattr(error, "kind", "") or type(error).__name__


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("object", "result.list[2]"),
        ("cycle", ""),
        ("deep", ""),
        ("lone surrogate", "surrogate"),
        ("generator", "generator"),
        ("class", ""),
    ],
)
def test_a_value_that_is_no_json_fails_its_task_and_says_where_it_stands(
    running: Project, kind: str, said: str
) -> None:
    error = running.call("value", kind)
    assert isinstance(error, Exception), error
    assert "EncodeError" in type(error).__name__ + kind_of(error), (kind, kind_of(error), error)
    assert "the result of" in str(error) and "value" in str(error)
    if kind == "object":
        assert "Odd" in str(error) and "list" in str(error) and "2" in str(error), str(error)
    elif said:
        assert said in str(error)
    assert running.call("quick", 5) == 5


def test_large_values_arrive_and_too_large_ones_fail(running: Project) -> None:
    assert running.call("huge", 3_000_000) == "x" * 3_000_000
    error = running.call("huge", 64 << 20)
    assert kind_of(error) == "ResultTooLarge", (kind_of(error), str(error)[:100])
    assert running.call("quick", 5) == 5


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("no text", "tasks.NoText", "cannot be shown"),
        ("exit text", "SystemExit", "in a text"),
        ("number", "tasks.TextOfNumber", "cannot be shown"),
        ("picky", "tasks.Picky", "7: wrong"),
        ("unpicklable", "tasks.Unpicklable", "holds a function"),
        ("chained", "ValueError", "from the other"),
        ("recursion", "RecursionError", "recursion"),
        ("group", "ExceptionGroup", "several"),
        ("long", "ValueError", "xxxx"),
        ("surrogates", "ValueError", "\\udcff, 你好"),
        ("name", "tasks.Cläss", "of another alphabet"),
        ("stop", "StopIteration", "a value"),
        ("key", "KeyError", "a key"),
        ("os", "FileNotFoundError", "No such file"),
        ("class", "ValueError", ""),
    ],
)
def test_whatever_is_raised_is_a_failure_with_its_kind_and_its_traceback(
    running: Project, kind: str, name: str, message: str
) -> None:
    result = running.send("fails", kind)
    error = result.get(timeout=DEADLINE_SECS, propagate=False)
    assert result.state == "FAILURE" and result.retries == 0
    assert isinstance(error, BaseException)
    assert kind_of(error) == name
    assert message in str(error)
    if kind not in ("exit text", "no text", "number"):
        trace = result.traceback or ""
        assert 'tasks.py"' in trace and "in helper" in trace
        assert "site-packages" not in trace and "cardoon/_" not in trace, trace
    if kind == "chained":
        assert "KeyError" in (result.traceback or "")
    assert running.call("quick", 5) == 5


def test_known_exceptions_are_raised_as_they_are(running: Project) -> None:
    result: AsyncResult[Any] = running.send("fails", "key")
    with pytest.raises(KeyError) as caught:
        result.get(timeout=DEADLINE_SECS)
    assert "in helper" in str(caught.value.__cause__)
    with pytest.raises(TaskError) as other:
        running.send("fails", "picky").get(timeout=DEADLINE_SECS)
    assert other.value.kind == "tasks.Picky"


def test_wrong_arguments_say_so_without_a_frame_of_ours(running: Project) -> None:
    result = running.app.send_task("tasks.two", (1,))
    error = result.get(timeout=DEADLINE_SECS, propagate=False)
    assert isinstance(error, TypeError) and "missing" in str(error)
    # A TypeError of the task's own code is a usual failure.
    inner = running.send("two", 1, 2)
    assert isinstance(inner.get(timeout=DEADLINE_SECS, propagate=False), TypeError)
    assert "in two" in (inner.traceback or "")


def test_an_ignored_call_leaves_no_record(running: Project) -> None:
    result = running.send("ignores")
    running.wait_for_notes("ignores 0")
    assert running.call("quick", 1) == 1
    until(lambda: result.state in ("PENDING", "IGNORED"), f"no record, but {result.state}")
    assert running.notes() == ["ignores 0"]


def test_a_rejected_call_goes_to_the_dead_letters_or_comes_again(running: Project) -> None:
    error = running.call("rejects")
    assert kind_of(error) == "Rejected" and "not mine" in str(error)
    status, listed = running.command("--broker", running.broker, "dead", "list")
    assert status == 0 and "tasks.rejects" in listed
    assert running.call("rejects_twice") == "taken"
    error = running.call("rejects_oddly")
    assert isinstance(error, Exception)


def test_a_retry_runs_again_under_the_same_id(running: Project) -> None:
    result = running.send("retries", 2)
    assert result.get(timeout=DEADLINE_SECS) == 2
    assert running.notes() == [f"try {n} {result.id}" for n in range(3)]


def test_retries_end_with_the_cause_or_with_their_own_exception(running: Project) -> None:
    assert isinstance(running.call("retries_with", True), ValueError)
    assert running.notes() == ["try 0", "try 1", "try 2"]
    assert isinstance(running.call("retries_with", False), MaxRetriesExceededError)
    assert isinstance(running.call("retries_out"), MaxRetriesExceededError)


def test_no_limit_of_retries_is_none(running: Project) -> None:
    assert running.call("retries_for_ever") == "at last"
    assert running.notes() == [f"try {n}" for n in range(9)]


def test_a_retry_may_change_the_arguments(running: Project) -> None:
    assert running.call("retries_changed", 1) == 3
    assert running.notes() == ["try 1", "try 2", "try 3"]


@pytest.mark.parametrize("when", ["-5", "nan", "inf", "1e300"])
def test_odd_pauses_of_a_retry_harm_nobody(running: Project, when: str) -> None:
    result = running.send("retries_oddly", when)
    if when == "-5":
        assert result.get(timeout=DEADLINE_SECS) == "again"
    else:
        until(lambda: result.state in ("RETRY", "FAILURE", "SUCCESS"), f"an end, not {result.state}")
        assert result.state == "SUCCESS" or kind_of(result.result) != "WorkerLost"
    assert running.call("quick", 5) == 5


def test_automatic_retries_happen_for_the_named_exceptions_only(running: Project) -> None:
    assert isinstance(running.call("automatic", "value"), ValueError)
    assert running.notes() == [f"try {n}" for n in range(4)]
    assert isinstance(running.call("automatic", "key"), KeyError)
    assert running.notes()[4:] == ["try 0"]
    assert isinstance(running.call("automatic_but", "value"), ValueError)
    assert running.notes()[5:] == ["try 0", "try 1", "try 2"]
    assert isinstance(running.call("automatic_but", "key"), KeyError)
    assert running.notes()[8:] == ["try 0"]


def test_pauses_grow_as_they_are_asked_to(running: Project) -> None:
    assert isinstance(running.call("backed_off"), ValueError)
    times = [float(line.split()[1]) for line in running.notes()]
    assert len(times) == 3
    assert times[1] - times[0] >= 1 and times[2] - times[1] >= 2


def test_expected_exceptions_have_no_traceback(running: Project) -> None:
    result = running.send("expected")
    assert isinstance(result.get(timeout=DEADLINE_SECS, propagate=False), KeyError)
    assert not result.traceback


def test_hooks_are_called_and_their_mistakes_change_nothing(running: Project) -> None:
    assert running.call("hooked", "well") == "well"
    assert running.notes() == ["before_start", "on_success", "after_return SUCCESS"]
    assert running.call("hooked", "retries") == "retries"
    assert running.notes()[3:5] == ["before_start", "on_retry"]
    assert running.notes()[5:] == ["before_start", "on_success", "after_return SUCCESS"]
    error = running.call("hooked", "fails")
    assert isinstance(error, (ValueError, TaskError)), error
    assert running.notes()[8:10] == ["before_start", "on_failure"]
    assert running.call("quick", 5) == 5
