//! One task a request: how many a second, and how long does each take at half of that?

use anyhow::Result;

use crate::http::{Load, post};
use crate::page::{Row, rate};
use crate::sides::cardoon_command::Gateway;
use crate::stores::redis::Stage;
use crate::stores::sqlite::Fixture;
use cardoon_bench_common::median;

const CONNECTIONS: usize = 64;
/// On SQLite the tasks of more connections share a commit.
const MANY: usize = 256;
const GOAL: f64 = 10_000.0;
const GOAL_MS: f64 = 5.0;
/// The part of an offered load that must have been answered for its times to count.
const KEPT: f64 = 0.98;

/// Medians, or the runs that they are of.
#[derive(Default)]
struct Answers<T> {
    per_sec: T,
    p50: T,
    p99: T,
}

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let [mut redis, mut half, mut few, mut many] = std::array::from_fn(|_| Answers::default());
    for _ in 0..runs {
        redis.push(&on_redis(stage, None).await?);
        few.push(&on_sqlite(CONNECTIONS).await?);
        many.push(&on_sqlite(MANY).await?);
    }
    let [redis, few, many] = [redis, few, many].map(Answers::median);
    let offered = redis.per_sec / 2.0;
    for _ in 0..runs {
        half.push(&on_redis(stage, Some(offered)).await?);
    }
    Ok(vec![
        closed("Redis", CONNECTIONS, &redis, Some(GOAL)),
        open(offered, &half.median()),
        closed("SQLite", CONNECTIONS, &few, None),
        closed("SQLite", MANY, &many, None),
    ])
}

fn request() -> Vec<u8> {
    post("/api/v1/tasks", r#"{"task":"cardoon.noop"}"#)
}

/// By a schedule of so many a second, or as many as are answered.
async fn on_redis(stage: &Stage, per_sec: Option<f64>) -> Result<Load> {
    stage.clear().await?;
    let gateway = Gateway::start(&stage.url())?;
    match per_sec {
        Some(per_sec) => Load::open(gateway.address(), CONNECTIONS, &request(), per_sec),
        None => Load::closed(gateway.address(), CONNECTIONS, &request()),
    }
}

async fn on_sqlite(connections: usize) -> Result<Load> {
    let fixture = Fixture::empty().await?;
    let gateway = Gateway::start(&fixture.url())?;
    let load = Load::closed(gateway.address(), connections, &request())?;
    drop(gateway);
    fixture.close().await?;
    Ok(load)
}

fn closed(store: &str, connections: usize, answers: &Answers<f64>, goal: Option<f64>) -> Row {
    Row {
        measure: format!(
            "`POST /api/v1/tasks` on {store}, {connections} connections that stay open: requests, p50 / p99"
        ),
        cardoon: format!("{}, {}", rate(answers.per_sec), answers.times()),
        beside: "-".into(),
        goal: goal.map_or_else(|| "-".into(), |goal| format!(">= {}", rate(goal))),
        is_met: goal.map(|goal| answers.per_sec >= goal),
    }
}

fn open(offered: f64, answers: &Answers<f64>) -> Row {
    Row {
        measure: format!("open loop, the same on Redis at 50 % of that rate ({}): p50 / p99", rate(offered)),
        cardoon: answers.times(),
        beside: "-".into(),
        goal: format!("p99 <= {GOAL_MS:.0} ms"),
        is_met: Some(answers.p99 <= GOAL_MS && answers.per_sec >= KEPT * offered),
    }
}

impl Answers<Vec<f64>> {
    fn push(&mut self, load: &Load) {
        self.per_sec.push(load.per_sec);
        self.p50.push(load.ms(0.5));
        self.p99.push(load.ms(0.99));
    }

    fn median(self) -> Answers<f64> {
        Answers { per_sec: median(self.per_sec), p50: median(self.p50), p99: median(self.p99) }
    }
}

impl Answers<f64> {
    fn times(&self) -> String {
        format!("{:.1} / {:.1} ms", self.p50, self.p99)
    }
}
