//! One query on all systems, in turns.

use anyhow::Result;
use cardoon_bench_common::median;

use crate::answer::Answer;
use crate::inputs::Inputs;
use crate::queries::{Kind, Query};
use crate::systems::{Run, System};

pub(crate) struct Row {
    pub(crate) query: &'static Query,
    /// One a system.
    pub(crate) cells: Vec<Cell>,
}

/// The runs of one query on one system.
#[derive(Default)]
pub(crate) struct Cell {
    runs: Vec<Run>,
    /// Why there are no more runs, or that the answer is another one than that of most systems.
    pub(crate) trouble: Option<Trouble>,
}

pub(crate) enum Trouble {
    Failed(String),
    Differs(String),
}

impl Row {
    /// Each system once, then each again. What failed once is not tried again.
    pub(crate) fn measure(query: &'static Query, systems: &[System], inputs: &Inputs, runs: u16) -> Self {
        let mut cells: Vec<Cell> = systems.iter().map(|_| Cell::default()).collect();
        for _ in 0..runs {
            for (system, cell) in systems.iter().zip(&mut cells).filter(|(_, cell)| cell.trouble.is_none()) {
                cell.add(system.run(query, inputs));
            }
        }
        judge(&mut cells, query.columns);
        Self { query, cells }
    }

    /// One line for those who wait.
    pub(crate) fn told(&self, systems: &[System]) -> String {
        let cells = systems.iter().zip(&self.cells);
        let told: Vec<_> = cells.map(|(system, cell)| format!("{} {}", system.title, cell.told())).collect();
        format!("{}: {}", self.query.name, told.join(", "))
    }
}

impl Cell {
    fn add(&mut self, run: Result<Run>) {
        match run {
            Ok(run) => self.runs.push(run),
            Err(error) => self.trouble = Some(Trouble::Failed(format!("{error:#}"))),
        }
    }

    /// Those of the query, or of the whole process where a system does not say more.
    pub(crate) fn secs(&self) -> Option<f64> {
        self.query_secs().or_else(|| self.wall_secs())
    }

    pub(crate) fn query_secs(&self) -> Option<f64> {
        let secs: Option<Vec<f64>> = self.counted()?.iter().map(|run| run.query_secs).collect();
        secs.map(median)
    }

    pub(crate) fn start_secs(&self) -> Option<f64> {
        self.median(|run| run.start_secs)
    }

    pub(crate) fn wall_secs(&self) -> Option<f64> {
        self.median(|run| run.wall_secs)
    }

    pub(crate) fn peak_mb(&self) -> Option<f64> {
        self.median(|run| run.peak_mb)
    }

    fn median(&self, figure: impl Fn(&Run) -> f64) -> Option<f64> {
        Some(median(self.counted()?.iter().map(figure).collect()))
    }

    /// The runs, if all went well.
    fn counted(&self) -> Option<&[Run]> {
        (self.trouble.is_none() && !self.runs.is_empty()).then_some(&self.runs)
    }

    fn told(&self) -> String {
        match &self.trouble {
            Some(Trouble::Failed(why)) => format!("failed: {why}"),
            Some(Trouble::Differs(how)) => format!("differs: {how}"),
            None => {
                let (secs, mb) = (self.secs(), self.peak_mb());
                format!("{:.2} s {:.0} MB", secs.unwrap_or_default(), mb.unwrap_or_default())
            }
        }
    }
}

/// Finds the cells that do not agree with the answer that most systems give.
fn judge(cells: &mut [Cell], columns: &[Kind]) {
    let answers = || cells.iter().filter_map(|cell| cell.runs.first()).map(|run| &run.answer);
    let agreeing = |answer: &Answer| answers().filter(|other| answer.agrees_with(other, columns)).count();
    let Some(right) = answers().max_by_key(|answer| agreeing(answer)).cloned() else { return };
    for cell in cells {
        if let Some(run) = cell.runs.iter().find(|run| !run.answer.agrees_with(&right, columns)) {
            cell.trouble = Some(Trouble::Differs(format!("{:?}, but most have {right:?}", run.answer)));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Runs of so many seconds each, with an answer of so many rows.
    pub(crate) fn cell(secs: &[f64], rows: u64) -> Cell {
        let answer: Answer =
            serde_json::from_value(serde_json::json!({ "rows": rows, "checksum": 7, "floats": [] })).unwrap();
        let run = |secs: &f64| Run {
            query_secs: Some(*secs),
            start_secs: 0.0,
            wall_secs: secs + 1.0,
            peak_mb: 100.0 * secs,
            answer: answer.clone(),
        };
        Cell { runs: secs.iter().map(run).collect(), trouble: None }
    }

    #[test]
    fn whose_answer_few_have_is_told_and_has_no_figures() {
        let mut cells = [cell(&[1.0], 8), cell(&[2.0], 9), cell(&[3.0], 8)];
        judge(&mut cells, &[Kind::Integer]);
        assert!(matches!(&cells[1].trouble, Some(Trouble::Differs(_))));
        assert_eq!(cells[1].wall_secs(), None);
        assert_eq!(cells[2].wall_secs(), Some(4.0));
    }

    #[test]
    fn a_system_that_answers_differently_each_time_differs() {
        let mut unsteady = cell(&[1.0], 8);
        unsteady.runs.extend(cell(&[1.0], 9).runs);
        let mut cells = [unsteady, cell(&[3.0], 8)];
        judge(&mut cells, &[Kind::Integer]);
        assert!(cells[0].trouble.is_some() && cells[1].trouble.is_none());
    }

    #[test]
    fn figures_are_medians_and_those_of_a_failure_do_not_count() {
        let mut cell = cell(&[9.0, 1.0, 2.0], 8);
        assert_eq!((cell.query_secs(), cell.peak_mb()), (Some(2.0), Some(200.0)));
        cell.add(Err(anyhow::anyhow!("took longer than 300 s")));
        assert_eq!(cell.query_secs(), None);
        assert_eq!(cell.told(), "failed: took longer than 300 s");
    }
}
