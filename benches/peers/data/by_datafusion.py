"""DataFusion: SQL over registered files, with its defaults."""

import sys

import datafusion

import answer

QUERIES = {
    "count": "select user_id, count(*) as n from logs group by user_id",
    "filter": "select count(*) as n from logs where action = 'purchase'",
    "actions": "select action, count(*) as n from logs group by action",
    "mean": "select action, avg(user_id) as mean from logs group by action",
    "join": """
        select country, count(*) as n, avg(age) as age
        from logs join users using (user_id) group by country""",
    "busiest": "select user_id, count(*) as n from logs group by user_id order by n desc, user_id limit 10",
    "distinct": "select action, count(distinct user_id) as users from logs group by action",
    # Of whole numbers it would give a whole number.
    "median": "select action, median(cast(user_id as double)) as middle from logs group by action",
    "hours": "select date_part('hour', timestamp) as hour, count(*) as n from logs group by 1",
    "ranks": """
        select country, user_id, n, row_number() over (partition by country order by n desc, user_id) as rank
        from (select user_id, count(*) as n from logs group by user_id) join users using (user_id)
        qualify rank <= 3""",
    "pairs": "select user_id, action, count(*) as n from logs group by user_id, action having n >= 100",
    "latest": """
        select user_id, timestamp from logs where action = 'purchase'
        order by timestamp desc, user_id desc limit 100""",
    "parquet": "select user_id, count(*) as n from parquet group by user_id",
}


def run(name, logs, users):
    context = datafusion.SessionContext()
    if name == "parquet":
        context.register_parquet("parquet", f"{logs}.parquet")
    else:
        context.register_csv("logs", f"{logs}/")
        context.register_csv("users", users)
    return context.sql(QUERIES[name]).to_arrow_table()


if __name__ == "__main__":
    _, name, logs, users = sys.argv[1:]
    answer.give(
        lambda: run(name, logs, users),
        lambda table: [column.to_numpy() for column in table.columns],
    )
