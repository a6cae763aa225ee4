use anyhow::{Result, anyhow};
use cardoon_bench_common::median;

use super::count;
use super::row::Row;
use crate::inputs::Inputs;
use crate::systems::{Cardoon, Resident};

/// Of the logs, for the query before the rest.
const FILES: usize = 4;
pub(super) const STARTS: usize = 5;
const START_SECS: f64 = 0.7;
const REST_MB: f64 = 60.0;

/// What a cluster takes that does nothing: to start, and of the memory before a query and after it.
pub(super) fn rows(cardoon: &Cardoon, inputs: &Inputs) -> Result<Vec<Row>> {
    let share = inputs.share(FILES)?;
    let start = "`cardoon data cluster --workers 4 --threads 2` until it says its address";
    let before = "an executor of four, ten seconds after the start";
    let after = format!("the same ten seconds after a count per user over {:.1} GB", share.gb());
    let resident = cardoon.executors_at_rest(&count::per_user(&share));
    let of =
        |look: usize| resident.as_ref().map(|looks| told(looks[look])).map_err(|error| anyhow!("{error:#}"));
    let (goal, rest) = (format!("<= {START_SECS} s"), format!("<= {REST_MB:.0} MB"));
    Ok(vec![
        Row::new(start, goal, started(cardoon)),
        Row::new(before, rest.clone(), of(0)),
        Row::new(after, rest, of(1)),
    ])
}

fn started(cardoon: &Cardoon) -> Result<(String, bool)> {
    let secs = median((0..STARTS).map(|_| cardoon.start_cluster()).collect::<Result<_>>()?);
    Ok((format!("{secs:.2} s"), secs <= START_SECS))
}

fn told(Resident { mb, own_mb }: Resident) -> (String, bool) {
    let figure = format!("{mb:.0} MB resident, the largest; {own_mb:.0} MB without the program's file");
    (figure, mb <= REST_MB)
}
