//! Queries of one kind, with the systems that are asked them.

use anyhow::Result;

use crate::inputs::Inputs;
use crate::queries::Query;
use crate::rounds::{Row, Trouble};
use crate::systems::System;

pub(crate) struct Part {
    pub(crate) systems: Vec<System>,
    pub(crate) rows: Vec<Row>,
}

impl Part {
    /// Asks all systems one query after the other. `warm` brings the files into the kernel's cache before each.
    pub(crate) fn measure(
        systems: Vec<System>,
        queries: &[&'static Query],
        inputs: &Inputs,
        warm: impl Fn(&Inputs) -> Result<()>,
        runs: u16,
    ) -> Result<Self> {
        let mut rows = Vec::new();
        for query in queries {
            warm(inputs)?;
            let row = Row::measure(query, &systems, inputs, runs);
            println!("{}", row.told(&systems));
            rows.push(row);
        }
        Ok(Self { systems, rows })
    }

    /// Whether there are times of Cardoon, and none of its queries alone.
    pub(crate) fn has_untimed(&self) -> bool {
        let ours = self.systems.iter().position(System::is_ours);
        let mut cells = self.rows.iter().filter_map(|row| row.cells.get(ours?));
        cells.any(|cell| cell.wall_secs().is_some() && cell.query_secs().is_none())
    }

    /// What went wrong, where it counts.
    pub(crate) fn troubles(&self, counts: impl Fn(&System, &Trouble) -> bool) -> Vec<String> {
        let cells = self.rows.iter().flat_map(|row| {
            let cells = self.systems.iter().zip(&row.cells);
            cells.filter_map(|(system, cell)| Some((row.query, system, cell.trouble.as_ref()?)))
        });
        let told =
            cells.filter(|(_, system, trouble)| counts(system, trouble)).map(|(query, system, trouble)| {
                let (what, why) = match trouble {
                    Trouble::Failed(why) => ("failed", why),
                    Trouble::Differs(how) => ("answers differently", how),
                };
                format!("{}, {}: {what}: {why}", system.title, query.title)
            });
        told.collect()
    }
}
