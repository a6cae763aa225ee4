"""What options of tasks and calls may be. Whoever gives a wrong one is told which, and what was expected."""

from __future__ import annotations

import datetime
import math
import operator
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

#: The longest name of a queue and the longest id, in bytes.
_LONGEST_NAME = 255

#: No span is longer, in seconds: so long is it until the last day that Python knows.
_MOST_SECS = 250_000_000_000

Zone = Callable[[], datetime.tzinfo]


def queue(where: str, value: Any) -> str:
    """The name of a queue."""
    return _name(where, value, "the name of a queue")


def task_id(where: str, value: Any) -> str:
    """An id; a UUID is one by its text."""
    return _name(where, str(value) if _is_a("uuid", "UUID", value) else value, "an id")


def task_name(value: Any) -> str:
    """The name of a task: a text that is not empty and can be written as UTF-8."""
    if not isinstance(value, str):
        raise TypeError(f"a task's name is a text, not {_shown(value)}")
    problem = "it is empty" if not value else _not_utf8(value)
    if problem:
        raise ValueError(f"{value!r} cannot be the name of a task: {problem}")
    return value


def priority(where: str, value: Any) -> int:
    """0 to 9."""
    wanted = "a priority is a whole number from 0 to 9, and 9 is the most urgent"
    try:
        level = operator.index(value)
    except TypeError:
        raise TypeError(f"{where} is {_shown(value)}; {wanted}") from None
    if isinstance(value, bool) or not 0 <= level <= 9:
        raise ValueError(f"{where} is {_shown(value)}; {wanted}")
    return level


def countdown(where: str, value: Any) -> float:
    """Seconds. As with Celery what is negative is over, and the task starts at once."""
    return max(0.0, _seconds(where, value, "a number of seconds"))


def limit(where: str, value: Any) -> float | None:
    """The seconds of a time limit; None for 0, which as with Celery says nothing."""
    if isinstance(value, datetime.timedelta):
        value = value.total_seconds()
    secs = _seconds(where, value, "a number of seconds or a timedelta")
    if secs < 0:
        raise ValueError(f"{where} is {_shown(value)}; a limit is not negative")
    return secs or None


def eta(where: str, value: Any, zone: Zone) -> float:
    """A time, as seconds since 1970. A datetime or, as with Celery, its ISO 8601 text."""
    return _timestamp(where, _time(where, value, "a datetime; for seconds from now there is countdown"), zone)


def expires(where: str, value: Any, zone: Zone) -> tuple[str, float]:
    """A time or a span, and which of them, by the name that it has in the compiled part."""
    if isinstance(value, datetime.timedelta):
        return "expires_in", value.total_seconds()
    wanted = "a number of seconds, a timedelta or a datetime"
    if isinstance(value, (datetime.datetime, str)):
        return "expires", _timestamp(where, _time(where, value, wanted), zone)
    return "expires_in", _seconds(where, value, wanted)


def headers(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise TypeError(f"{where} is {_shown(value)}; headers are a mapping of names to values")
    return dict(value)


def whole(where: str, value: Any) -> int:
    """A whole number that is not negative."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{where} is {_shown(value)}; it is a whole number") from None
    if number < 0:
        raise ValueError(f"{where} is {_shown(value)}; it is not negative")
    return number


def delay(where: str, value: Any) -> float:
    """Seconds that are not negative."""
    secs = _seconds(where, value, "a number of seconds")
    if secs < 0:
        raise ValueError(f"{where} is {_shown(value)}; it is not negative")
    return secs


def positional(task: str, args: Iterable[Any] | None) -> tuple[Any, ...]:
    """Positional arguments. A text is a list of letters to Python, and a mapping one of its keys; neither is ever meant."""
    if type(args) is tuple:
        return args
    if args is None:
        return ()
    if isinstance(args, (str, bytes, bytearray, Mapping, set, frozenset)):
        raise TypeError(f"task {task}: args is {_shown(args)}; positional arguments are a tuple or a list: ({_short(args)},)")
    try:
        return tuple(args)
    except TypeError:
        if hasattr(args, "__iter__"):
            raise
        raise TypeError(
            f"task {task}: args is {_shown(args)}; positional arguments are a tuple or a list: ({_short(args)},)"
        ) from None


def named(task: str, kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Named arguments."""
    if kwargs is None:
        return {}
    if type(kwargs) is not dict and not isinstance(kwargs, Mapping):
        raise TypeError(f"task {task}: kwargs is {_shown(kwargs)}; named arguments are a mapping of names to values")
    return dict(kwargs)


def _name(where: str, value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{where} is {_shown(value)}; {what} is a text")
    size = len(value.encode("utf-8", "replace"))
    if not value:
        problem = "it is empty"
    elif size > _LONGEST_NAME:
        problem = f"it has {size} bytes, more than {_LONGEST_NAME}"
    elif any(letter < " " or "\x7f" <= letter < "\xa0" for letter in value):
        problem = "it holds a control character"
    else:
        problem = _not_utf8(value)
    if problem:
        raise ValueError(f"{where} is {_shown(value)}, which cannot be {what}: {problem}")
    return value


def in_zone(value: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    """A time that was written without its zone. Zones of ``pytz`` have a method for that, and are wrong without it."""
    localize = getattr(zone, "localize", None)
    return localize(value) if localize is not None else value.replace(tzinfo=zone)


def _is_a(module: str, name: str, value: Any) -> bool:
    """Whether ``value`` is of this class. Nothing is, as long as nobody has imported its module: each child would keep it."""
    imported = sys.modules.get(module)
    return imported is not None and isinstance(value, getattr(imported, name))


def _not_utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair"
    return ""


def _seconds(where: str, value: Any, wanted: str) -> float:
    if isinstance(value, (bool, str, bytes)) or not (isinstance(value, (int, float)) or _is_a("numbers", "Number", value)):
        raise TypeError(f"{where} is {_shown(value)}; it is {wanted}")
    try:
        secs = float(value)
    except TypeError:
        raise TypeError(f"{where} is {_shown(value)}; it is {wanted}") from None
    except (ValueError, OverflowError):
        secs = math.inf
    if not abs(secs) <= _MOST_SECS:
        raise ValueError(f"{where} is {_shown(value)}, which is no length of time; it is {wanted}")
    return secs


def _time(where: str, value: Any, wanted: str) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{where} is {_shown(value)}; it is {wanted}")
    # Python 3.10 does not know Z.
    text = f"{value[:-1]}+00:00" if value.endswith(("Z", "z")) else value
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{where} is {_shown(value)}, which is no time as ISO 8601 writes it; it is {wanted}") from None


def _timestamp(where: str, value: datetime.datetime, zone: Zone) -> float:
    aware = value if value.tzinfo else in_zone(value, zone())
    try:
        return aware.timestamp()
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError(f"{where} is {_shown(value)}, which is no time here: {error}") from None


def _shown(value: Any) -> str:
    """A value in an error: its type too, where its form does not tell it."""
    text = _short(value)
    return text if isinstance(value, (str, bytes, bool, int, float, list, tuple, dict)) else f"{text} ({type(value).__name__})"


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - it is a value of the user.
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 80 else f"{text[:77]}…"
