//! Two worker processes on one file, against one.

use anyhow::Result;

use crate::page::{Row, percent, rate};
use crate::rows::sqlite::drain;
use cardoon_bench_common::median;

pub(crate) async fn measure(runs: usize) -> Result<Vec<Row>> {
    let [mut one, mut two, mut least] = [const { Vec::new() }; 3];
    for _ in 0..runs {
        one.push(drain::once(1).await?.0);
        let (together, share) = drain::once(2).await?;
        two.push(together);
        least.push(share);
    }
    let worst = least.iter().copied().fold(f64::INFINITY, f64::min);
    let (one, two) = (median(one), median(two));
    Ok(vec![Row {
        measure: "the same, two worker processes on one file".into(),
        cardoon: format!(
            "{} together, {} of one; the slower one executed at least {}",
            rate(two),
            percent(two / one),
            percent(worst)
        ),
        beside: format!("one process in the same run: {}", rate(one)),
        goal: ">= 90 % of one, neither below a third".into(),
        is_met: Some(two >= 0.9 * one && worst >= 1.0 / 3.0),
    }])
}
