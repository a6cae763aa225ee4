//! Queries over `logs` (`user_id`, `action`, `timestamp`) and `users` (`user_id`, `country`, `age`), both CSV, and over `parquet`,
//! which has the same rows as the logs. The programs in `benches/peers/data` have the same queries under the same names.

use super::Query;
use super::query::Kind::{Float, Integer, Text, Time};

/// The tutorial's query, and one of each kind.
pub(crate) const QUERIES: &[Query] = &[
    Query {
        name: "count",
        title: "count per user",
        sql: "select user_id, count(*) as n from {logs} group by user_id",
        columns: &[Integer, Integer],
    },
    Query {
        name: "filter",
        title: "count of one action",
        sql: "select count(*) as n from {logs} where action = 'purchase'",
        columns: &[Integer],
    },
    Query {
        name: "actions",
        title: "count per action",
        sql: "select action, count(*) as n from {logs} group by action",
        columns: &[Text, Integer],
    },
    Query {
        name: "mean",
        title: "mean per action",
        sql: "select action, avg(user_id) as mean from {logs} group by action",
        columns: &[Text, Float],
    },
    Query {
        name: "join",
        title: "join with the users: count and mean age per country",
        sql: "select country, count(*) as n, avg(age) as age
            from {logs} as logs join {users} as users using (user_id) group by country",
        columns: &[Text, Integer, Float],
    },
    Query {
        name: "busiest",
        title: "the 10 busiest users",
        sql: "select user_id, count(*) as n from {logs} group by user_id order by n desc, user_id limit 10",
        columns: &[Integer, Integer],
    },
    Query {
        name: "distinct",
        title: "distinct users per action",
        sql: "select action, count(distinct user_id) as users from {logs} group by action",
        columns: &[Text, Integer],
    },
    Query {
        name: "median",
        title: "median per action",
        // Of whole numbers it would give a whole number.
        sql: "select action, median(cast(user_id as double)) as middle from {logs} group by action",
        columns: &[Text, Float],
    },
    Query {
        name: "hours",
        title: "count per hour of the day",
        sql: "select date_part('hour', \"timestamp\") as hour, count(*) as n from {logs} group by 1",
        columns: &[Integer, Integer],
    },
    Query {
        name: "ranks",
        title: "window: the 3 busiest users of each country",
        sql: "select country, user_id, n, rank from (
                select country, user_id, n,
                    row_number() over (partition by country order by n desc, user_id) as rank
                from (select user_id, count(*) as n from {logs} group by user_id) as counts
                    join {users} as users using (user_id)
            ) as ranks where rank <= 3",
        columns: &[Text, Integer, Integer, Integer],
    },
    Query {
        name: "pairs",
        title: "count per user and action, from 100 on",
        sql: "select user_id, action, count(*) as n from {logs} group by user_id, action having count(*) >= 100",
        columns: &[Integer, Text, Integer],
    },
    Query {
        name: "latest",
        title: "the last 100 of one action",
        sql: "select user_id, \"timestamp\" from {logs} where action = 'purchase'
            order by \"timestamp\" desc, user_id desc limit 100",
        columns: &[Integer, Time],
    },
    Query {
        name: "parquet",
        title: "count per user, of Parquet",
        sql: "select user_id, count(*) as n from {parquet} group by user_id",
        columns: &[Integer, Integer],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    const PEERS: [(&str, &str); 5] = [
        ("by_dask.py", include_str!("../../../peers/data/by_dask.py")),
        ("by_datafusion.py", include_str!("../../../peers/data/by_datafusion.py")),
        ("by_duckdb.py", include_str!("../../../peers/data/by_duckdb.py")),
        ("by_pandas.py", include_str!("../../../peers/data/by_pandas.py")),
        ("by_polars.py", include_str!("../../../peers/data/by_polars.py")),
    ];

    #[test]
    fn every_peer_has_the_same_queries_in_the_same_order() {
        let ours: Vec<&str> = QUERIES.iter().map(|query| query.name).collect();
        for (file, text) in PEERS {
            let (_, queries) = text.split_once("QUERIES = {\n").unwrap();
            let (queries, _) = queries.split_once("\n}").unwrap();
            let keys = queries.lines().filter_map(|line| line.strip_prefix("    \"")?.split_once("\":"));
            let theirs: Vec<&str> = keys.map(|(name, _)| name).collect();
            assert_eq!(theirs, ours, "{file}");
        }
    }
}
