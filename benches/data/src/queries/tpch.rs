//! The 22 queries of TPC-H with the parameters that its specification validates answers with.

use super::query::Kind::{Decimal, Integer, Text, Time};
use super::{Kind, Query};

/// In the order of their numbers.
pub(crate) const QUERIES: &[Query] = &[
    query(
        "q1",
        "1: pricing summary",
        include_str!("../../tpch/q01.sql"),
        &[Text, Text, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Integer],
    ),
    query(
        "q2",
        "2: minimum cost supplier",
        include_str!("../../tpch/q02.sql"),
        &[Decimal, Text, Text, Integer, Text, Text, Text, Text],
    ),
    query(
        "q3",
        "3: shipping priority",
        include_str!("../../tpch/q03.sql"),
        &[Integer, Decimal, Time, Integer],
    ),
    query("q4", "4: order priority", include_str!("../../tpch/q04.sql"), &[Text, Integer]),
    query("q5", "5: local supplier volume", include_str!("../../tpch/q05.sql"), &[Text, Decimal]),
    query("q6", "6: forecast of revenue", include_str!("../../tpch/q06.sql"), &[Decimal]),
    query("q7", "7: volume shipping", include_str!("../../tpch/q07.sql"), &[Text, Text, Integer, Decimal]),
    query("q8", "8: market share", include_str!("../../tpch/q08.sql"), &[Integer, Decimal]),
    query("q9", "9: profit by product", include_str!("../../tpch/q09.sql"), &[Text, Integer, Decimal]),
    query(
        "q10",
        "10: returned items",
        include_str!("../../tpch/q10.sql"),
        &[Integer, Text, Decimal, Decimal, Text, Text, Text, Text],
    ),
    query("q11", "11: important stock", include_str!("../../tpch/q11.sql"), &[Integer, Decimal]),
    query("q12", "12: shipping modes", include_str!("../../tpch/q12.sql"), &[Text, Integer, Integer]),
    query("q13", "13: customer distribution", include_str!("../../tpch/q13.sql"), &[Integer, Integer]),
    query("q14", "14: promotion effect", include_str!("../../tpch/q14.sql"), &[Decimal]),
    query(
        "q15",
        "15: top supplier",
        include_str!("../../tpch/q15.sql"),
        &[Integer, Text, Text, Text, Decimal],
    ),
    query(
        "q16",
        "16: parts and suppliers",
        include_str!("../../tpch/q16.sql"),
        &[Text, Text, Integer, Integer],
    ),
    query("q17", "17: small quantity orders", include_str!("../../tpch/q17.sql"), &[Decimal]),
    query(
        "q18",
        "18: large volume customers",
        include_str!("../../tpch/q18.sql"),
        &[Text, Integer, Integer, Time, Decimal, Decimal],
    ),
    query("q19", "19: discounted revenue", include_str!("../../tpch/q19.sql"), &[Decimal]),
    query("q20", "20: potential promotion", include_str!("../../tpch/q20.sql"), &[Text, Text]),
    query("q21", "21: suppliers who kept waiting", include_str!("../../tpch/q21.sql"), &[Text, Integer]),
    query(
        "q22",
        "22: global sales opportunity",
        include_str!("../../tpch/q22.sql"),
        &[Text, Integer, Decimal],
    ),
];

const fn query(
    name: &'static str,
    title: &'static str,
    sql: &'static str,
    columns: &'static [Kind],
) -> Query {
    Query { name, title, sql, columns }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_a_name_a_title_and_a_text_of_its_own() {
        let texts: std::collections::BTreeSet<_> = QUERIES.iter().map(|query| query.sql).collect();
        assert_eq!((QUERIES.len(), texts.len()), (22, 22));
        for (number, query) in (1..).zip(QUERIES) {
            assert_eq!(query.name, format!("q{number}"));
            assert!(query.title.starts_with(&format!("{number}: ")), "{}", query.title);
        }
    }
}
