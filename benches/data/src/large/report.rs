use anyhow::{Result, ensure};
use cardoon_bench_common::{Section, machine};

use super::row::Row;
use super::{cluster, count, groups, sort};
use crate::inputs::Inputs;
use crate::systems::Cardoon;

const COMMAND: &str = "cargo xtask bench data --large";
const SECTION: Section = Section::new("Data beyond memory and at rest", COMMAND);

type Measure = fn(&Cardoon, &Inputs, u16) -> Result<Vec<Row>>;

/// What `--only` may ask for.
const PARTS: [(&str, Measure); 4] = [
    ("count", count::rows),
    ("sort", |cardoon, inputs, _| sort::rows(cardoon, inputs)),
    ("groups", |cardoon, inputs, _| groups::rows(cardoon, inputs)),
    ("cluster", |cardoon, inputs, _| cluster::rows(cardoon, inputs)),
];

/// All that was measured, as the part of the page that has it.
pub(crate) struct Large {
    runs: u16,
    load: String,
    gb: f64,
    version: String,
    rows: Vec<Row>,
}

impl Large {
    /// The parts that `only` names; without names all. `load` is that of the machine before anything was done.
    pub(crate) fn measure(
        cardoon: &Cardoon,
        inputs: &Inputs,
        only: &[String],
        runs: u16,
        load: String,
    ) -> Result<Self> {
        let mut rows = Vec::new();
        for (_, measure) in
            PARTS.iter().filter(|(name, _)| only.is_empty() || only.iter().any(|only| only == name))
        {
            rows.extend(measure(cardoon, inputs, runs)?);
        }
        Ok(Self { runs, load, gb: inputs.bytes()? as f64 / 1e9, version: cardoon.version(), rows })
    }

    pub(crate) fn text(&self) -> String {
        let Self { runs, load, gb, version, rows } = self;
        let machine = machine::description(load, std::slice::from_ref(version));
        let rows: String = rows.iter().map(|row| row.line() + "\n").collect();
        format!(
            "{gb:.1} GB of logs, in one run of `{COMMAND}`: counts are medians of {runs} runs, starts of {}, the others \
             were run once.\n\n{machine}\n\n| measure | figure | goal | met |\n|---|---|---|---|\n{rows}",
            cluster::STARTS
        )
    }

    pub(crate) fn publish(&self) -> Result<()> {
        SECTION.write(&self.text())
    }

    /// What makes the run a failure: that something has no figure. A goal that is not met does not.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.rows.iter().filter_map(Row::fault).collect()
    }
}

/// Errors if there is no part of such a name.
pub(crate) fn check(only: &[String]) -> Result<()> {
    let names = PARTS.map(|(name, _)| name);
    let unknown = only.iter().find(|only| !names.contains(&only.as_str()));
    let unknown = unknown.map_or("", String::as_str);
    ensure!(unknown.is_empty(), "with --large there is no {unknown}, but {}", names.join(", "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_must_exist() {
        check(&[]).unwrap();
        check(&["sort".into()]).unwrap();
        let error = check(&["sort".into(), "tpch".into()]).unwrap_err();
        assert_eq!(error.to_string(), "with --large there is no tpch, but count, sort, groups, cluster");
    }

    #[test]
    fn every_row_is_in_the_table_and_what_failed_is_a_fault() {
        let rows = vec![
            Row::new("start", "<= 0.7 s", Ok(("0.43 s".into(), true))),
            Row::new("sort", "peak <= 698 MB", Err(anyhow::anyhow!("no space left"))),
        ];
        let (load, version) = ("0.10".into(), "Cardoon: 0.1.0".into());
        let large = Large { runs: 3, load, gb: 10.0, version, rows };
        let text = large.text();
        assert!(
            text.ends_with(
                "| start | 0.43 s | <= 0.7 s | yes |\n| sort | failed | peak <= 698 MB | **no** |\n"
            ),
            "{text}"
        );
        assert_eq!(large.faults(), ["sort: failed: no space left"]);
    }
}
