"""What `-A` may name, and what is said if there is nothing to run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardoon import App
from cardoon._loader import Unusable, load

APP = "from cardoon import App\n{name} = App('main')\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    before, path = set(sys.modules), list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")) or name.split(".")[0] in _here(tmp_path):
            del sys.modules[name]


def _here(folder: Path) -> set[str]:
    return {path.stem for path in folder.rglob("*")} | {"nowhere"}


def put(path: str, text: str = APP.format(name="app")) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("one.py", "one"),
        ("one.py", "one:app"),
        ("one.py", "one.app"),
        ("one.py", "one.py"),
        ("one.py", "./one.py"),
        ("one.py", "one.py:app"),
        ("deep/er/one.py", "deep.er.one"),
        ("deep/er/one.py", "deep/er/one.py"),
        ("deep/celery.py", "deep"),
        ("deep/tasks.py", "deep"),
        ("deep/app.py", "deep"),
        ("deep/__init__.py", "deep"),
        ("deep/__init__.py", "deep:app"),
        ("deep/tasks.py", "deep.tasks:app"),
    ],
)
def test_an_application_is_found_under_its_usual_names(file: str, name: str) -> None:
    put(file)
    assert load(name).main == "main"


@pytest.mark.parametrize("attribute", ["app", "celery", "worker", "my_app"])
def test_the_only_application_of_a_module_may_have_any_name(attribute: str) -> None:
    put("one.py", APP.format(name=attribute))
    assert isinstance(load("one"), App)


def test_of_several_applications_one_is_named() -> None:
    put("one.py", "from cardoon import App\na = App('a')\nb = App('b')\n")
    with pytest.raises(Unusable, match="has no application"):
        load("one")
    assert load("one:b").main == "b"


def test_a_file_may_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("elsewhere/one.py")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert load("../elsewhere/one.py").main == "main"
    del sys.modules["one"]
    assert load(str(tmp_path / "elsewhere" / "one.py")).main == "main"


def test_an_attribute_may_lie_deeper() -> None:
    put("one.py", "from cardoon import App\nclass Box:\n    inside = App('boxed')\n")
    assert load("one:Box.inside").main == "boxed"


@pytest.mark.parametrize(
    "name",
    ["nowhere", "nowhere.tasks", "nowhere:app", "", ":", ".", "a b", "one.", ".one", "one-two"],
)
def test_a_module_that_is_not_there_is_told_with_what_is(name: str) -> None:
    put("one.py")
    with pytest.raises(Unusable, match="there is no module") as caught:
        load(name)
    assert "one.py" in " ".join(caught.value.checked) and os.getcwd() in " ".join(caught.value.checked)
    assert "project" in caught.value.hint


@pytest.mark.parametrize(
    "name", ["../x.py", "tasks.py", "deep/tasks.py", "deep/tasks", "tasks.py:app", "C:\\x", "C:\\x\\tasks.py", "C:/x.py"]
)
def test_a_file_that_is_not_there_is_told_as_a_file(name: str) -> None:
    put("one.py")
    with pytest.raises(Unusable, match="there is no file") as caught:
        load(name)
    assert name.removesuffix(":app") in str(caught.value)
    assert "one.py" in " ".join(caught.value.checked)


def test_a_folder_is_told_from_a_file_and_from_a_module(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unusable, match="folder is a folder without an application") as caught:
        load("folder")
    assert str(tmp_path / "folder") in caught.value.checked[0] and "-A folder.tasks" in caught.value.hint
    with pytest.raises(Unusable, match="./folder is no file of Python"):
        load("./folder")


def test_a_missing_module_of_the_applications_own_is_its_own_error() -> None:
    put("one.py", "import nowhere_to_be_found\n")
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        load("one")
    put("deep/__init__.py", "")
    put("deep/tasks.py", "import nowhere_to_be_found\n")
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        load("deep")


def test_a_module_without_an_application_is_told() -> None:
    put("one.py", "x = 1\n")
    with pytest.raises(Unusable, match="has no application") as caught:
        load("one")
    assert "App(" in caught.value.hint
    with pytest.raises(Unusable, match="one:y is no application") as caught:
        load("one:y")
    assert "no such name" in caught.value.checked[0]
    with pytest.raises(Unusable, match="one:x is no application") as caught:
        load("one:x")
    assert "int" in caught.value.checked[0]


def test_an_application_of_celery_is_told_from_ours() -> None:
    put("celery_like.py", "class Celery:\n    pass\nCelery.__module__ = 'celery.app.base'\napp = Celery()\n")
    for name in ("celery_like", "celery_like:app"):
        with pytest.raises(Unusable, match="one of Celery") as caught:
            load(name)
        assert "cardoon assess" in caught.value.hint


def test_what_a_module_holds_may_be_hostile() -> None:
    put(
        "one.py",
        "class Proxy:\n    def __getattribute__(self, name):\n        raise RuntimeError('outside of a context')\n"
        "request = Proxy()\nfrom cardoon import App\nworker = App('found')\n",
    )
    assert load("one").main == "found"


def test_what_an_import_raises_is_passed_on() -> None:
    put("one.py", "raise SystemExit(3)\n")
    with pytest.raises(SystemExit):
        load("one")
