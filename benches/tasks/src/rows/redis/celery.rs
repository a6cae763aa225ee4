//! The drain beside Celery: as it is by default, and as it is fastest.

use anyhow::Result;

use super::drain;
use crate::page::{Row, rate, times};
use crate::sides::celery::{Celery, How};
use crate::sides::peer::{self, Peer};
use crate::stores::redis::Stage;
use cardoon_bench_common::median;

/// With results or without.
struct Beside {
    ignore_result: bool,
    cardoon: f64,
    /// In the order of [`How::ALL`].
    celery: Vec<f64>,
}

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let celery = Celery::defaults();
    if let Err(error) = celery.install() {
        return Ok(vec![Row::unmeasured(
            "the same drain beside Celery",
            peer::absent(&celery.name(), &error),
        )]);
    }
    let mut rows = Vec::new();
    for ignore_result in [false, true] {
        rows.extend(Beside::measure(stage, runs, ignore_result).await?.rows());
    }
    Ok(rows)
}

impl Beside {
    async fn measure(stage: &Stage, runs: usize, ignore_result: bool) -> Result<Self> {
        let mut cardoon = Vec::new();
        let mut celeries = How::ALL.map(|_| Vec::new());
        for _ in 0..runs {
            cardoon.push(drain::once(stage, ignore_result).await?);
            for (how, celeries) in How::ALL.into_iter().zip(&mut celeries) {
                celeries.push(peer::drain(stage, &Celery::new(how, ignore_result)).await?);
            }
        }
        let celery = celeries.into_iter().map(median).collect();
        Ok(Self { ignore_result, cardoon: median(cardoon), celery })
    }

    fn rows(&self) -> [Row; 2] {
        let results = drain::results(self.ignore_result);
        let celery = Celery::new(How::Defaults, self.ignore_result);
        let factor = self.cardoon / self.celery[0];
        let goal = if self.ignore_result { 40.0 } else { 30.0 };
        let best = self.celery.iter().copied().fold(0.0, f64::max);
        let others = How::ALL.into_iter().zip(&self.celery).skip(1);
        let others = others.map(|(how, celery)| format!("`{}`: {}", how.options(), rate(*celery)));
        [
            Row {
                measure: format!("the same drain, {results}, beside Celery's defaults"),
                cardoon: format!("{}; {}", rate(self.cardoon), times(factor)),
                beside: format!("{}: {}", peer::title(&celery), rate(self.celery[0])),
                goal: format!(">= {goal:.0} times"),
                is_met: Some(factor >= goal),
            },
            Row {
                measure: format!("the same drain, {results}, beside Celery at its best"),
                cardoon: times(self.cardoon / best),
                beside: others.collect::<Vec<_>>().join(", "),
                goal: ">= 12 times the best".into(),
                is_met: Some(self.cardoon >= 12.0 * best),
            },
        ]
    }
}
