"""Fixtures of the worker's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardoon import _warnings
from helpers import redis
from helpers.project import Project


@pytest.fixture(autouse=True)
def warnings_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is warned about once is so in each test."""
    monkeypatch.setattr(_warnings, "_told", set())


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project on SQLite. Its workers are ended with the test."""
    project = Project(tmp_path)
    yield project
    project.close()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    program = redis.program()
    if program is None:
        pytest.fail("there is no Redis server here: cargo xtask setup installs one")
    server = redis.Redis(tmp_path_factory.mktemp("redis"), program)
    yield server
    server.stop()
