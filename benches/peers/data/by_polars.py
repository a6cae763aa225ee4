"""Polars: lazy frames, collected by the engine that the setting names: `streaming` or `in-memory`."""

import sys

import polars as pl

import answer


def timed(logs):
    """With the format it is read many times faster than where Polars has to find it."""
    return logs.with_columns(pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S"))


def count(logs, users):
    return logs.group_by("user_id").len("n")


def filtered(logs, users):
    return logs.filter(pl.col("action") == "purchase").select(pl.len())


def actions(logs, users):
    return logs.group_by("action").len("n")


def mean(logs, users):
    return logs.group_by("action").agg(pl.col("user_id").mean())


def join(logs, users):
    joined = logs.join(users, on="user_id")
    return joined.group_by("country").agg(pl.len().alias("n"), pl.col("age").mean())


def busiest(logs, users):
    return count(logs, users).sort("n", "user_id", descending=[True, False]).head(10)


def distinct(logs, users):
    return logs.group_by("action").agg(pl.col("user_id").n_unique())


def median(logs, users):
    return logs.group_by("action").agg(pl.col("user_id").median())


def hours(logs, users):
    return timed(logs).group_by(pl.col("timestamp").dt.hour()).len("n")


def ranks(logs, users):
    joined = count(logs, users).join(users, on="user_id").sort("n", "user_id", descending=[True, False])
    ranked = joined.with_columns(rank=pl.int_range(1, pl.len() + 1).over("country"))
    return ranked.filter(pl.col("rank") <= 3).select("country", "user_id", "n", "rank")


def pairs(logs, users):
    return logs.group_by("user_id", "action").len("n").filter(pl.col("n") >= 100)


def latest(logs, users):
    purchases = timed(logs.filter(pl.col("action") == "purchase")).select("user_id", "timestamp")
    return purchases.sort("timestamp", "user_id", descending=True).head(100)


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
    "parquet": count,
}


def run(name, logs, users, engine):
    rows = pl.scan_parquet(f"{logs}.parquet") if name == "parquet" else pl.scan_csv(f"{logs}/*.csv")
    return QUERIES[name](rows, pl.scan_csv(users)).collect(engine=engine)


if __name__ == "__main__":
    engine, name, logs, users = sys.argv[1:]
    answer.give(
        lambda: run(name, logs, users, engine),
        lambda frame: [column.to_numpy() for column in frame],
    )
