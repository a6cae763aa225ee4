"""DuckDB: SQL over the files, with its defaults."""

import sys

import duckdb

import answer

QUERIES = {
    "count": "select user_id, count(*) as n from '{logs}/*.csv' group by user_id",
    "filter": "select count(*) as n from '{logs}/*.csv' where action = 'purchase'",
    "actions": "select action, count(*) as n from '{logs}/*.csv' group by action",
    "mean": "select action, avg(user_id) as mean from '{logs}/*.csv' group by action",
    "join": """
        select country, count(*) as n, avg(age) as age
        from '{logs}/*.csv' join '{users}' using (user_id) group by country""",
    "busiest": "select user_id, count(*) as n from '{logs}/*.csv' group by user_id order by n desc, user_id limit 10",
    "distinct": "select action, count(distinct user_id) as users from '{logs}/*.csv' group by action",
    "median": "select action, median(user_id) as middle from '{logs}/*.csv' group by action",
    "hours": "select hour(timestamp) as hour, count(*) as n from '{logs}/*.csv' group by hour",
    "ranks": """
        select country, user_id, n, row_number() over (partition by country order by n desc, user_id) as rank
        from (select user_id, count(*) as n from '{logs}/*.csv' group by user_id) join '{users}' using (user_id)
        qualify rank <= 3""",
    "pairs": "select user_id, action, count(*) as n from '{logs}/*.csv' group by user_id, action having n >= 100",
    "latest": """
        select user_id, timestamp from '{logs}/*.csv' where action = 'purchase'
        order by timestamp desc, user_id desc limit 100""",
    "parquet": "select user_id, count(*) as n from '{logs}.parquet' group by user_id",
}


def run(query, logs, users):
    return duckdb.connect().execute(query.format(logs=logs, users=users)).fetchnumpy()


if __name__ == "__main__":
    _, name, logs, users = sys.argv[1:]
    answer.give(lambda: run(QUERIES[name], logs, users), lambda result: list(result.values()))
