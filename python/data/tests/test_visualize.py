"""Plans as pictures, graphs and text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

import cardoon.dataframe as dd

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    """What a picture shows, which has to be XML."""
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    return ["".join(part.itertext()) for part in root.iter(f"{SVG}text")]


def test_a_picture_has_a_box_for_each_step_and_a_way_for_each_input(ours: Any, folder: Path, tmp_path: Path) -> None:
    users = dd.read_csv(folder / "users.csv")
    query = ours[ours.amount > 0].merge(users, on="user_id").groupby("city").size()
    query.visualize(filename=tmp_path / "plan.svg")
    svg = (tmp_path / "plan.svg").read_text(encoding="utf-8")
    shown = texts(svg)
    assert shown.count("scan") == 2 and "filter" in shown and "join" in shown and "(amount > 0)" in shown
    root = ElementTree.fromstring(svg)
    boxes, ways = list(root.iter(f"{SVG}rect")), list(root.iter(f"{SVG}path"))
    # A join has two inputs, each other step one, and a scan none.
    assert len(ways) == len(boxes) - 1
    corners = {(box.get("x"), box.get("y")) for box in boxes}
    assert len(corners) == len(boxes), "boxes lie on one another"
    assert svg.strip() == query.visualize()._repr_svg_()


def test_rows_that_several_steps_go_on_with_are_drawn_once(ours: Any) -> None:
    frame = ours[["user_id"]].drop_duplicates()
    # Written out as a tree it would have more steps than fit into any memory.
    for _ in range(60):
        frame = frame.merge(frame, on="user_id")
    picture = frame.visualize()
    assert len(texts(picture._repr_svg_())) < 1000
    assert str(picture).count("(as above)") == 60


HOSTILE = ["<script>alert(1)</script>", "\"'&]]>", "a\x00\x1b[31m\ud800b", "--> \\N \\", "名字", "line\nbreak"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_columns_stay_text(name: str, tmp_path: Path) -> None:
    frame = dd.from_pandas(pd.DataFrame({"plain": [1, 2]})).rename(columns={"plain": name})
    query = frame[frame[name] > 1].groupby(name).size()
    for end in ("svg", "dot", "txt"):
        query.visualize(tmp_path / f"plan.{end}")
    svg = (tmp_path / "plan.svg").read_text(encoding="utf-8")
    allowed = {f"{SVG}{tag}" for tag in ("svg", "style", "g", "title", "rect", "path", "text")}
    assert {part.tag for part in ElementTree.fromstring(svg).iter()} == allowed
    expected = " ".join(re.sub("[\x00\x1b\ud800]", "\ufffd", name).split())
    assert any(expected in text for text in texts(svg)), texts(svg)
    graph = (tmp_path / "plan.dot").read_text(encoding="utf-8")
    # Outside of its quoted labels a graph has nothing that a file could say.
    rest = re.sub(r'label="(?:[^"\\]|\\.)*"', "label", graph)
    assert re.fullmatch(r'digraph plan \{\n  node .*;\n(?:  \d+ (?:\[label\]|-> \d+);\n)+\}\n', rest), rest


def test_deep_plans_are_drawn(ours: Any) -> None:
    frame = ours[["amount"]]
    for _ in range(3000):
        frame = frame.assign(amount=frame.amount + 1)
        frame = frame[frame.amount > 0]
    picture = frame.visualize()
    assert texts(picture._repr_svg_()).count("filter") > 1000
    assert str(picture).count("filter") > 1000


def test_long_terms_are_cut(ours: Any) -> None:
    deep = wide = ours.amount
    for _ in range(150):
        deep = deep + 1
    for _ in range(12):
        wide = wide + wide
    for amount in (deep, wide):
        text = str(amount.visualize())
        assert "…" in text and len(text) < 20_000
        assert any("…" in shown for shown in texts(amount.visualize()._repr_svg_()))


def test_the_end_of_the_name_says_what_is_written(ours: Any, tmp_path: Path) -> None:
    for filename, format, written in [
        ("a", None, "a.svg"),
        ("b", "dot", "b.dot"),
        ("c.svg", "svg", "c.svg"),
        ("d.SVG", None, "d.SVG"),
        ("e.txt", None, "e.txt"),
    ]:
        ours.visualize(tmp_path / filename, format=format)
        assert (tmp_path / written).stat().st_size > 0
    for filename, format in [("f.png", None), ("f", "pdf")]:
        with pytest.raises(dd.NotSupported, match="dot -T"):
            ours.visualize(tmp_path / filename, format=format)
    assert not list(tmp_path.glob("f*"))
