"""The application of Cardoon."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from cardoon import App, exceptions
from interop.programs.tasks import note, register

app = App("interop", broker=os.environ["INTEROP_URL"], task_default_queue="ours")


class OursAlone(Exception):
    """Only our workers import it."""


register(app, exceptions, OursAlone)


@app.task(name="ours.only", bind=True)
def ours_only(self: Any, word: str) -> str:
    note(word, self.request.id)
    return word


@app.task(name="ours.awaits", bind=True)
async def awaits(self: Any, word: str) -> list[Any]:
    await asyncio.sleep(0.01)
    return [word, self.request.id, self.request.get("x_own")]


@app.task(name="ours.headers", bind=True)
def headers(self: Any, names: list[str], before: dict[str, Any] | None = None) -> list[Any]:
    """What the first attempt knows of these headers, and what the second does."""
    seen = {name: self.request.get(name) for name in names}
    if before is None:
        raise self.retry(kwargs={"before": seen}, countdown=0.05)
    return [before, seen, self.request.retries]
