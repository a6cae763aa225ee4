"""Names of pandas and Dask that are not there are told with what comes nearest, and what looks for names is not disturbed."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cardoon.dataframe as dd
from cardoon import distributed
from cardoon.distributed import Client, LocalCluster, as_completed
from helpers import dask_names

#: What notebooks, numpy, pickle and others look for.
PROBES = (
    "_repr_png_",
    "_repr_mimebundle_",
    "_ipython_display_",
    "_ipython_canary_method_should_not_exist_",
    "__array__",
    "__array_interface__",
    "__dask_graph__",
    "__dataframe__",
    "__cuda_array_interface__",
)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture
def owners(ours: Any, client: Client) -> dict[str, Any]:
    """What has the names of each list."""
    groups = ours.groupby("user_id")
    return {
        "MODULE": dd,
        "DISTRIBUTED": distributed,
        "FRAME": ours,
        "SERIES": ours.amount,
        "GROUPBY": groups,
        "SERIES_GROUPBY": groups.amount,
        "SCALAR": ours.amount.sum(),
        "CLIENT": client,
        "CLUSTER": client.cluster,
        "FUTURE": client.submit(int, 5),
        "AS_COMPLETED": as_completed(),
    }


@pytest.mark.parametrize("kind", [name for name in dir(dask_names) if name.isupper()])
def test_each_name_of_dask_is_there_or_told(kind: str, owners: dict[str, Any]) -> None:
    bare = []
    for name in getattr(dask_names, kind):
        try:
            getattr(owners[kind], name)
        except dd.NotSupported as error:
            assert error.name == name
            assert f"has no {name} here: " in str(error)
            assert not hasattr(owners[kind], name)
        except AttributeError as error:
            # Those of texts and times say why a column of numbers does not have them.
            bare += [name] if "Can only use" not in str(error) else []
    assert bare == []


def test_small_results_tell_what_frames_have(ours: Any) -> None:
    small = ours[["amount"]].sum()
    for name in dask_names.FRAME:
        if not hasattr(small, name):
            with pytest.raises(dd.NotSupported, match=f"has no {name} here: "):
                getattr(small, name)


@pytest.mark.parametrize(
    ("module", "name", "says"),
    [
        ("cardoon.distributed", "Lock", "processes of their own"),
        ("cardoon.distributed", "performance_report", "ProgressBar"),
        ("cardoon.distributed", "config", "LocalCluster"),
        ("cardoon.dataframe", "from_delayed", "from_pandas"),
        ("cardoon_data", "read_hdf", "read_parquet"),
    ],
)
def test_an_import_of_what_is_not_there_says_what_is(module: str, name: str, says: str) -> None:
    with pytest.raises(ImportError, match=f"has no {name} here: .*{says}"):
        exec(f"from {module} import {name}")
    with pytest.raises(ImportError, match="nonsense"):
        exec(f"from {module} import nonsense")


def test_names_that_dask_has_not_are_attribute_errors_with_the_nearest(owners: dict[str, Any]) -> None:
    near = {"FRAME": ("amuont", "amount"), "SERIES": ("isnul", "isnull"), "MODULE": ("read_cvs", "read_csv")}
    near |= {"CLIENT": ("submitt", "submit"), "FUTURE": ("resullt", "result"), "DISTRIBUTED": ("Cliant", "Client")}
    for kind, (wrong, right) in near.items():
        with pytest.raises(AttributeError, match=f"{wrong}.*did you mean '{right}'") as raised:
            getattr(owners[kind], wrong)
        assert not isinstance(raised.value, dd.NotSupported)
    for owner in owners.values():
        with pytest.raises(AttributeError, match="'zzzzzz'$"):
            getattr(owner, "zzzzzz")


def test_what_looks_for_names_is_not_disturbed(owners: dict[str, Any], ours: Any) -> None:
    everything = {**owners, "STR": ours.action.str, "DT": ours.when.dt, "SMALL": ours[["amount"]].sum()}
    for kind, owner in everything.items():
        found = [name for name in PROBES if hasattr(owner, name)]
        assert found == [], kind
        # An object that has only begun to be, as in pickle and copy.
        if not isinstance(owner, type(dd)):
            assert not hasattr(object.__new__(type(owner)), "__setstate__")
    assert copy.copy(ours).columns.equals(ours.columns)
    assert copy.copy(ours.amount).sum().compute() == ours.amount.sum().compute()
    again = pickle.loads(pickle.dumps(ours))
    assert again.groupby("user_id").size().compute().equals(ours.groupby("user_id").size().compute())
    assert np.asarray(ours.amount.compute()).sum() == ours.amount.sum().compute()


def test_a_property_that_is_there_says_itself_what_is_wrong(ours: Any) -> None:
    with pytest.raises(AttributeError, match=r"Can only use \.str") as raised:
        ours.amount.str  # noqa: B018
    assert not isinstance(raised.value, dd.NotSupported)


def test_delayed_calls_refuse_what_dask_gives_out_of_them() -> None:
    later = dd.delayed(int)(5)
    for name in ("dask", "visualize"):
        with pytest.raises(dd.NotSupported, match=name):
            getattr(later, name)
    # All else is an attribute of the result.
    assert later.real.compute() == 5


def test_what_is_said_of_sql_is_true(ours: Any, theirs: pd.DataFrame) -> None:
    found = ours.sql(
        """select action, strpos(action, 'g') as found, regexp_count(action, 'o') as count,
           extract(doy from "when") as doy, extract(week from "when") as week,
           date_bin(interval '1 day', "when") as day, coalesce(seconds, amount) as both, random() as part from this"""
    ).compute()
    assert found.doy.tolist() == theirs.when.dt.day_of_year.tolist()
    assert found.week.tolist() == theirs.when.dt.isocalendar().week.tolist()
    assert found.day.tolist() == theirs.when.dt.normalize().tolist()
    assert found["count"].dropna().tolist() == theirs.action.str.count("o").dropna().tolist()
    assert found.found.dropna().tolist() == (theirs.action.str.find("g") + 1).dropna().tolist()
    assert found.both.tolist() == theirs.seconds.fillna(theirs.amount).tolist()
    assert found.part.between(0, 1).all()


#: What has the names that the documents list without their owner.
_DOCS = Path(__file__).parents[3] / "docs"
_SENTENCE = re.compile(r"`\.?([A-Za-z_][\w.]*)[^`]*`")


@pytest.mark.parametrize(
    ("document", "there", "missing"),
    [
        ("coming-from-dask.md", "What is the same", "What is not there"),
        ("zh/coming-from-dask.md", "一样的部分", "没有的部分"),
    ],
)
def test_what_documents_list_is_true(document: str, there: str, missing: str, owners: dict[str, Any]) -> None:
    parts = re.split(r"^## (.*)$", (_DOCS / document).read_text(encoding="utf-8"), flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    everything = [*owners.values(), dd.delayed]
    same = sections[there].split("```")[0].replace("A name that", "").rpartition(".")[0]
    found = [name for name in _SENTENCE.findall(same) if name not in _NOT_NAMES]
    assert len(found) > 80
    assert [name for name in found if not _has_one(everything, name)] == []
    rows = [line.split("|")[1] for line in sections[missing].splitlines() if line.startswith("| `")]
    absent = {name for row in rows for name in _SENTENCE.findall(row)} - {"dask.config", "scale"}
    assert len(absent) > 50
    assert [name for name in absent if not _refuses_one(owners.values(), name)] == []


#: Options, and words that are no names of objects.
_NOT_NAMES = frozenset(("s3", "storage_options", "nout", "dask_key_name", "len", "dt", "str"))


def _has_one(owners: Iterable[Any], name: str) -> bool:
    last = name.rpartition(".")[2]
    return any(hasattr(owner, last) for owner in owners)


def _refuses_one(owners: Iterable[Any], name: str) -> bool:
    for owner in owners:
        try:
            getattr(owner, name)
        except dd.NotSupported:
            return True
        except AttributeError:
            continue
    return False


# Names that are there.


def test_a_cluster_is_scaled_to_what_it_is_alone(client: Client) -> None:
    cluster = client.cluster
    assert cluster is not None
    cluster.scale(2)
    with pytest.raises(dd.NotSupported, match="2 workers cannot be scaled to 3.*cardoon data executor"):
        cluster.scale(3)
    assert cluster.scheduler_info == client.scheduler_info()
    assert cluster.workers == client.scheduler_info()["workers"]


def test_the_current_client_is_the_last_one_that_is_open(client: Client) -> None:
    assert distributed.get_client() is Client.current() is distributed.default_client() is client
    with Client(n_workers=1, processes=False) as other:
        assert distributed.get_client() is other
        assert distributed.default_client(client) is client
        assert other.submit(lambda: distributed.get_client() is other).result(30)
    assert Client.current() is client


def test_without_a_client_there_is_no_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardoon_data._client._clients", [])
    with pytest.raises(ValueError, match="there is no client"):
        distributed.get_client()


def test_workers_are_waited_for(client: Client) -> None:
    client.wait_for_workers(2)
    with pytest.raises(TimeoutError, match="2 of 3 workers"):
        client.wait_for_workers(3, timeout="50ms")


def test_what_is_cleared_is_not_waited_for(client: Client) -> None:
    waited = as_completed([client.submit(int, 1), client.submit(int, 2)])
    waited.clear()
    assert (waited.is_empty(), list(waited)) == (True, [])
    waited.add(client.submit(int, 3))
    assert [future.result() for future in waited] == [3]


@pytest.mark.parametrize("make", [LocalCluster, lambda **options: Client("127.0.0.1:1", **options)])
def test_options_of_dask_are_refused_if_they_would_have_an_effect(make: Any) -> None:
    for option in ({"asynchronous": True}, {"security": object()}, {"protocol": "tls://"}):
        with pytest.raises(dd.NotSupported, match=next(iter(option))):
            make(**option)
    with pytest.raises(TypeError, match="n_wokers"):
        make(n_wokers=2)


def test_options_without_an_effect_are_taken() -> None:
    with LocalCluster(n_workers=1, processes=False, name="mine", asynchronous=False, worker_dashboard_address=None):
        pass


def test_aliases(ours: Any) -> None:
    groups = ours.groupby("user_id")
    assert groups.aggregate({"amount": "sum"}).compute().equals(groups.agg({"amount": "sum"}).compute())
    assert groups.amount.aggregate("max").compute().equals(groups.amount.max().compute())
    assert ours.amount.pipe(lambda series, more: series + more, 1).sum().compute() == ours.amount.sum().compute() + 8
