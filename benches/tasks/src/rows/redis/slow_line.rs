//! The drain when each round trip to the server takes a millisecond longer.

use std::time::Duration;

use anyhow::Result;

use super::peers::{all, beside};
use crate::page::Row;
use crate::sides::celery::{Celery, How};
use crate::stores::redis::Stage;

const LONGER: Duration = Duration::from_millis(1);

pub(crate) async fn measure(stage: Stage, runs: usize) -> Result<Vec<Row>> {
    let stage = stage.behind(LONGER).await?;
    let mut peers = all();
    peers.push(Box::new(Celery { tasks: 2_000, ..Celery::new(How::Prefetch, false) }));
    let beside = beside(&stage, runs, peers).await?;
    let measure = "the same drain with 1 ms added to each round trip, by a proxy";
    Ok(vec![beside.row(measure, 3.0, ">= 3 times the best")])
}
