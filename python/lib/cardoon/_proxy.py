"""Tasks that belong to every application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cardoon.task import Task


class SharedTask:
    """Stands for the task of the current application."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self.__dict__.update(_function=function, _options=options, __wrapped__=function, __doc__=function.__doc__)

    def _task(self) -> Task[..., Any]:
        from cardoon.app import current_app

        return current_app()._register(self._function, self._options)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._task())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._task()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._task(), name, value)

    def __repr__(self) -> str:
        return repr(self._task())

    def __reduce__(self) -> tuple[Any, ...]:
        return self._task().__reduce__()
