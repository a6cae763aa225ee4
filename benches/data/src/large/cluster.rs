use anyhow::Result;
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

/// What a cluster takes that does nothing: to start, and of the memory after a query.
pub(super) fn rows(cardoon: &Cardoon, inputs: &Inputs) -> Result<Vec<Row>> {
    let share = inputs.share(FILES)?;
    let start = "`cardoon data cluster --workers 4 --threads 2` until it says its address";
    let rest = format!("an executor of four, ten seconds after a count per user over {:.1} GB", share.gb());
    Ok(vec![
        Row::new(start, format!("<= {START_SECS} s"), started(cardoon)),
        Row::new(rest, format!("<= {REST_MB:.0} MB"), at_rest(cardoon, &count::per_user(&share))),
    ])
}

fn started(cardoon: &Cardoon) -> Result<(String, bool)> {
    let secs = median((0..STARTS).map(|_| cardoon.start_cluster()).collect::<Result<_>>()?);
    Ok((format!("{secs:.2} s"), secs <= START_SECS))
}

fn at_rest(cardoon: &Cardoon, sql: &str) -> Result<(String, bool)> {
    let Resident { mb, own_mb } = cardoon.executor_at_rest(sql)?;
    Ok((
        format!("{mb:.0} MB resident, the largest; {own_mb:.0} MB without the program's file"),
        mb <= REST_MB,
    ))
}
