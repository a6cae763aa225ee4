use anyhow::Result;

use super::page::listed;
use crate::inputs::Inputs;
use crate::part::Part;
use crate::queries::TPCH;
use crate::rounds::Cell;
use crate::{means, systems, tables};

/// What `DuckDB`'s geometric mean is to be over Cardoon's, at least.
const GOAL: f64 = 0.8;

/// What was asked of TPC-H.
pub(crate) struct Tpch {
    pub(crate) part: Part,
    gb: f64,
}

impl Tpch {
    pub(crate) fn new(part: Part, inputs: &Inputs) -> Result<Self> {
        Ok(Self { part, gb: inputs.table_bytes()? as f64 / 1e9 })
    }

    pub(super) fn text(&self) -> String {
        let Self { part: Part { systems, rows }, gb } = self;
        let notes: Vec<_> = self.speed().into_iter().chain(self.part.troubles(|_, _| true)).collect();
        format!(
            "The 22 queries with their validation parameters (`benches/data/tpch`), the same text for each system, over the \
             tables at scale 1: a file of Parquet each, {gb:.2} GB together, written by {} with its defaults.\n\n\
             Seconds of the query without starts and imports, but with the opening of the files and with planning{}. Cardoon \
             writes the rows as CSV into a pipe, the others make a table of Arrow:\n\n{}\n\
             Seconds of the whole process, which is Python with its imports but for Cardoon:\n\n{}\n\
             Most memory of the process at a time, in MB:\n\n{}{}",
            systems::generator(),
            if self.part.has_untimed() { "; of Cardoon the whole process" } else { "" },
            tables::queries(systems, rows),
            tables::walls(systems, rows),
            tables::peaks(systems, rows),
            listed(&notes)
        )
    }

    /// How Cardoon's speed compares with that of `DuckDB`, if both answered all that was asked.
    fn speed(&self) -> Option<String> {
        let means = means::geometric(&self.part.rows, Cell::secs);
        let mean = |name: &str| {
            let place = self.part.systems.iter().position(|system| system.name == name)?;
            means.get(place).copied().flatten()
        };
        Some(told(mean("cardoon")?, mean("duckdb")?, self.part.rows.len()))
    }
}

/// The goal is one of all queries.
fn told(ours: f64, duckdb: f64, queries: usize) -> String {
    let speed = duckdb / ours;
    let goal = match speed >= GOAL {
        _ if queries < TPCH.len() => String::new(),
        true => format!(" (goal: >= {GOAL}, met)"),
        false => format!(" (goal: >= {GOAL}, **not met**)"),
    };
    format!("By its geometric mean of {queries} queries Cardoon has {speed:.2} of DuckDB's speed{goal}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goal_counts_for_all_queries_together() {
        let all = |ours| told(ours, 1.0, TPCH.len());
        assert_eq!(
            all(1.24),
            "By its geometric mean of 22 queries Cardoon has 0.81 of DuckDB's speed (goal: >= 0.8, met)."
        );
        assert!(all(1.26).ends_with(" (goal: >= 0.8, **not met**)."));
        assert!(told(2.0, 1.0, 1).ends_with(" has 0.50 of DuckDB's speed."));
    }
}
