"""The guides: each of their blocks is carried out, in both languages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from helpers import redis
from helpers.guide import Guide, blocks, shows
from helpers.ports import quiet_port
from interop.environments import celery_python

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
DOCUMENTS = sorted(GUIDES.glob("*.md")) + sorted((GUIDES / "zh").glob("*.md"))

#: The ports that the guides name, which may be taken on this machine.
PORTS = ("6379", "8765", "5000")


def programs(folder: Path) -> list[Path]:
    """Where a reader has Redis and Celery installed."""
    server = redis.program()
    assert server is not None, "there is no Redis server here: cargo xtask setup installs one"
    (folder / "redis-server").symlink_to(server)
    return [folder, Path(celery_python("5.6")).parent]


def install_in(checkout: Path) -> None:
    """Where the guides look for the environment: it is the one in which the tests run."""
    checkout.mkdir()
    (checkout / ".venv").symlink_to(sys.prefix)


def free_ports() -> dict[str, str]:
    ports: set[int] = set()
    while len(ports) < len(PORTS):
        ports.add(quiet_port())
    return dict(zip(PORTS, map(str, ports)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(GUIDES)))
def test_what_a_guide_says_is_so(document: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    installed.mkdir()
    home = tmp_path / "reader"
    home.mkdir()
    install_in(home / "cardoon")
    guide = Guide(document, home, free_ports(), programs(installed))
    try:
        guide.carry_out()
    finally:
        guide.close()


def test_a_guide_shows_whole_lines_of_what_is_printed_in_their_order() -> None:
    printed = '  NAME  NEXT\n"hello ada"\ndone: 100\n'
    assert shows(printed, 'NAME  …\n"hello ada"\n')
    assert not shows(printed, "hello ada\n")
    assert not shows(printed, "done: …\nNAME  NEXT\n")


@pytest.mark.parametrize("document", sorted(GUIDES.glob("*.md")), ids=lambda document: document.name)
def test_both_languages_show_the_same_commands(document: Path) -> None:
    def commands(of: Path) -> list[str]:
        lines = [line for block in blocks(of) if block.language == "sh" for line in block.text.splitlines()]
        return [line.partition(" # ")[0].strip() for line in lines]

    assert commands(document) == commands(GUIDES / "zh" / document.name)
