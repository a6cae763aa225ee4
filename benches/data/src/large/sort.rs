use anyhow::{Result, ensure};

use super::asked::{Asked, MEMORY, goal};
use super::row::Row;
use super::tally::{Order, Tally};
use crate::inputs::Inputs;
use crate::queries::quoted;
use crate::systems::Cardoon;

/// What is sorted by, in words and in SQL.
const SORTS: [(&str, &str, Order); 2] =
    [("one key", "user_id", Order::User), ("two keys", "user_id, \"timestamp\"", Order::UserAndTime)];

/// All logs sorted. Whoever reads the rows looks at their order and that none is missing.
pub(super) fn rows(cardoon: &Cardoon, inputs: &Inputs) -> Result<Vec<Row>> {
    let logs = Tally::of_files(&inputs.files()?)?;
    let gb = inputs.bytes()? as f64 / 1e9;
    let table = quoted(&inputs.logs().join("*.csv"));
    let rows = SORTS.map(|(words, keys, order)| {
        let sql = format!("select user_id, action, \"timestamp\" from {table} order by {keys}");
        let measure =
            format!("sort of {gb:.1} GB by {words} (`{keys}`), written as CSV, `--memory {MEMORY}`");
        Row::new(measure, goal(), sorted(cardoon, &sql, order, &logs))
    });
    Ok(rows.into())
}

fn sorted(cardoon: &Cardoon, sql: &str, order: Order, logs: &Tally) -> Result<(String, bool)> {
    let asked = Asked::within_memory(cardoon, sql, |from| Tally::of_csv(from, order))?;
    ensure!(asked.rows == *logs, "its answer is {:?}, of {logs:?}", asked.rows);
    Ok((asked.told(), asked.kept_to_memory()))
}
