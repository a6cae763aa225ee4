"""Fixtures of the interop tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers import redis
from interop.environments import VERSIONS
from interop.lab import Lab
from interop.processes import Program


@pytest.fixture(scope="session")
def interop_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    program = redis.program()
    assert program is not None, "there is no Redis server here: run `cargo xtask setup`, or set CARDOON_TEST_REDIS"
    server = redis.Redis(tmp_path_factory.mktemp("interop-redis"), program)
    yield server
    server.stop()


@pytest.fixture(scope="session", params=VERSIONS, ids=lambda version: f"celery-{version}")
def lab(
    request: pytest.FixtureRequest, interop_redis: redis.Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """Both sides, for each version of Celery: its tests share the programs, and a database of the server."""
    version = request.param
    url = interop_redis.url.removesuffix("0") + str(VERSIONS.index(version))
    lab = Lab(version, url, tmp_path_factory.mktemp(f"celery-{version}-"))
    yield lab
    lab.close()


@pytest.fixture
def our_worker(lab: Lab) -> Program:
    return lab.our_worker


@pytest.fixture
def their_worker(lab: Lab) -> Program:
    return lab.their_worker
