"""Dask: frames on a local cluster whose setting is its workers and their threads, such as `4x2`.

The start of the cluster is timed for itself.
"""

import sys
import time

import dask.dataframe as dd
import numpy as np
from distributed import Client, LocalCluster

import answer


def read(logs, **options):
    return dd.read_csv(f"{logs}/*.csv", blocksize="100MB", **options)


def timed(logs):
    return read(logs, parse_dates=["timestamp"])


def count(logs, users):
    return read(logs).groupby("user_id").size().rename("n").compute()


def filtered(logs, users):
    return (read(logs)["action"] == "purchase").sum().compute()


def actions(logs, users):
    return read(logs).groupby("action").size().compute()


def mean(logs, users):
    return read(logs).groupby("action")["user_id"].mean().compute()


def join(logs, users):
    joined = read(logs).merge(dd.read_csv(users), on="user_id")
    return joined.groupby("country")["age"].agg(["size", "mean"]).compute()


def busiest(logs, users):
    return read(logs).groupby("user_id").size().nlargest(10).compute()


def distinct(logs, users):
    return read(logs).groupby("action")["user_id"].nunique().compute()


def median(logs, users):
    return read(logs).groupby("action")["user_id"].median().compute()


def hours(logs, users):
    return timed(logs)["timestamp"].dt.hour.value_counts().compute()


def ranks(logs, users):
    """The counts are small enough for pandas, which has the rank that Dask has not."""
    counts = read(logs).groupby("user_id").size().rename("n").reset_index()
    joined = counts.merge(dd.read_csv(users), on="user_id").compute()
    joined = joined.sort_values(["n", "user_id"], ascending=[False, True])
    joined["rank"] = joined.groupby("country").cumcount() + 1
    return joined[joined["rank"] <= 3].set_index("country")[["user_id", "n", "rank"]]


def pairs(logs, users):
    counts = read(logs).groupby(["user_id", "action"]).size()
    return counts[counts >= 100].compute()


def latest(logs, users):
    rows = timed(logs)
    purchases = rows[rows["action"] == "purchase"][["user_id", "timestamp"]]
    return purchases.nlargest(100, ["timestamp", "user_id"]).compute().set_index("user_id")


def parquet(logs, users):
    rows = dd.read_parquet(f"{logs}.parquet", columns=["user_id"])
    return rows.groupby("user_id").size().rename("n").compute()


QUERIES = {
    "count": count,
    "filter": filtered,
    "actions": actions,
    "mean": mean,
    "join": join,
    "busiest": busiest,
    "distinct": distinct,
    "median": median,
    "hours": hours,
    "ranks": ranks,
    "pairs": pairs,
    "latest": latest,
    "parquet": parquet,
}


def main():
    setting, name, logs, users = sys.argv[1:]
    workers, threads = map(int, setting.split("x"))
    begin = time.perf_counter()
    cluster = LocalCluster(n_workers=workers, threads_per_worker=threads, dashboard_address=None)
    with cluster, Client(cluster):
        start = time.perf_counter() - begin
        answer.give(lambda: QUERIES[name](logs, users), columns, start)


def columns(result):
    """Those of the index are the first ones. A single number has none."""
    if isinstance(result, np.integer):
        return [np.array([result])]
    frame = result.reset_index()
    return [frame[column].to_numpy() for column in frame]


# Its workers are new processes that import this file.
if __name__ == "__main__":
    main()
