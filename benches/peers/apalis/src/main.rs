//! apalis as a user of it would write it: `fill N`, `send N`, `send-many N` print tasks a second, `work NAME SLOTS BATCH`
//! works until it is killed. The server is that of `BENCH_URL`.
#![expect(clippy::print_stdout, reason = "the rate is the answer")]

use std::time::Instant;

use anyhow::{Context, Result, bail};
use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};

const QUEUE: &str = "bench";
/// What one call of `push_bulk` takes.
const BULK: usize = 1000;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["fill" | "send-many", count] => send_many(count.parse()?).await,
        ["send", count] => send(count.parse()?).await,
        ["work", name, slots, batch] => work(name, slots.parse()?, batch.parse()?).await,
        _ => bail!("what is {words:?}?"),
    }
}

async fn storage(batch: usize) -> Result<RedisStorage<u64>> {
    let url = std::env::var("BENCH_URL").context("BENCH_URL is not set")?;
    let connection = apalis_redis::connect(url).await?;
    Ok(RedisStorage::new(connection).with_config(Config::default().queue(QUEUE).batch_size(batch)))
}

async fn send(count: usize) -> Result<()> {
    let mut storage = storage(10).await?;
    let start = Instant::now();
    for index in 0..count {
        storage.push(index as u64).await?;
    }
    say(count, start);
    Ok(())
}

async fn send_many(count: usize) -> Result<()> {
    let mut storage = storage(10).await?;
    let start = Instant::now();
    let mut left = count;
    while left > 0 {
        let some = left.min(BULK);
        storage.push_bulk((0..some as u64).collect()).await?;
        left -= some;
    }
    say(count, start);
    Ok(())
}

fn say(count: usize, start: Instant) {
    println!("{}", count as f64 / start.elapsed().as_secs_f64());
}

async fn work(name: &str, slots: usize, batch: usize) -> Result<()> {
    let storage = storage(batch).await?;
    let worker = WorkerBuilder::new(name).backend(storage).concurrency(slots).parallelize(tokio::spawn).build(noop);
    Ok(worker.run().await?)
}

async fn noop(_: u64) -> Result<(), BoxDynError> {
    Ok(())
}
