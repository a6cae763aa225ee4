//! The drain when each round trip to the server takes a millisecond longer.

use std::time::Duration;

use anyhow::Result;

use super::peers::{all, beside, told};
use crate::page::{Row, rate, times};
use crate::sides::celery::{Celery, How};
use crate::stores::redis::Stage;

const LONGER: Duration = Duration::from_millis(1);

pub(crate) async fn measure(stage: Stage, runs: usize) -> Result<Vec<Row>> {
    let stage = stage.behind(LONGER).await?;
    let mut peers = all();
    peers.push(Box::new(Celery { tasks: 2_000, ..Celery::new(How::Prefetch, false) }));
    let (cardoon, beside) = beside(&stage, runs, &peers).await?;
    let best = beside.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    Ok(vec![Row {
        measure: "the same drain with 1 ms added to each round trip, by a proxy".into(),
        cardoon: format!("{}; {} the best", rate(cardoon), times(cardoon / best)),
        beside: told(&beside),
        goal: ">= 3 times the best".into(),
        is_met: Some(cardoon >= 3.0 * best),
    }])
}
