"""Calls as an executor of Python makes them."""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Callable
from typing import Any

from cardoon_data._calls import callbacks
from cardoon_data._calls.futures import Future


class ClientExecutor(concurrent.futures.Executor):
    """Has a client make calls. ``shutdown`` prevents further ones, and waits for those that were made by this."""

    def __init__(self, submit: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Future]) -> None:
        self._submit = submit
        self._answers: set[_Answer] = set()
        self._is_shut_down = False

    def submit(
        self, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> concurrent.futures.Future[Any]:
        if self._is_shut_down:
            raise RuntimeError("the executor is shut down")
        future = self._submit(function, args, kwargs)
        answer = _Answer(future)
        self._answers.add(answer)
        answer.add_done_callback(lambda _: self._answers.discard(answer))
        # What unpickles, and what is told then, must not hold up the answers of others.
        future._when_ended(lambda _: callbacks.of_executors.soon(_Answer.take, answer))
        return answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._is_shut_down = True
        left = list(self._answers)
        if cancel_futures:
            for answer in left:
                answer.cancel()
        if wait:
            concurrent.futures.wait(left)


class _Answer(concurrent.futures.Future[Any]):
    """A future of Python in place of one of Dask's."""

    def __init__(self, future: Future) -> None:
        super().__init__()
        self._of = future

    def cancel(self) -> bool:
        return self._of.cancel() and super().cancel()

    def take(self) -> None:
        """Ends as the other one has ended."""
        if self._of.cancelled():
            super().cancel()
            self.set_running_or_notify_cancel()
            return
        try:
            value = self._of.result()
        except BaseException as error:  # noqa: BLE001 - Whoever asks for the result gets it.
            self._end(error=error)
        else:
            self._end(value)

    def _end(self, value: Any = None, error: BaseException | None = None) -> None:
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            if error is not None:
                self.set_exception(error)
            else:
                self.set_result(value)
