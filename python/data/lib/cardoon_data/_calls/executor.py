"""Calls as an executor of Python makes them."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from typing import Any

from cardoon_data._calls.futures import Future
from cardoon_data._calls.waiting import wait


class ClientExecutor(concurrent.futures.Executor):
    """Has a client make calls. ``shutdown`` prevents further ones, and waits for those that were made by this."""

    def __init__(self, submit: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Future]) -> None:
        self._submit = submit
        self._futures: set[Future] = set()
        self._is_shut_down = False

    def submit(
        self, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> concurrent.futures.Future[Any]:
        if self._is_shut_down:
            raise RuntimeError("the executor is shut down")
        future = self._submit(function, args, kwargs)
        self._futures.add(future)
        answer = _Answer(future)
        future.add_done_callback(self._futures.discard)
        future.add_done_callback(answer.take)
        return answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._is_shut_down = True
        left = list(self._futures)
        if cancel_futures:
            for future in left:
                future.cancel()
        if wait:
            _wait(left)


_wait = wait


class _Answer(concurrent.futures.Future[Any]):
    """A future of Python in place of one of Dask's."""

    def __init__(self, future: Future) -> None:
        super().__init__()
        self._of = future

    def cancel(self) -> bool:
        return self._of.cancel() and super().cancel()

    def take(self, future: Future) -> None:
        """Ends as the other one has ended."""
        if future.cancelled():
            super().cancel()
            self.set_running_or_notify_cancel()
            return
        try:
            self.set_result(future.result())
        except concurrent.futures.InvalidStateError:
            pass
        except BaseException as error:  # noqa: BLE001 - Whoever asks for the result gets it.
            self.set_exception(error)
