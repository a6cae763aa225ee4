//! How fast a worker drains no-op tasks out of memory: what the engine and its services cost by themselves.
//!
//! `cargo run --release -p cardoon-worker --example drain -- [TASKS] [SLOTS] [async|blocking]`
#![expect(clippy::print_stdout, reason = "its output is the measurement")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use cardoon_broker::memory::MemoryBroker;
use cardoon_broker::{Broker, Publish};
use cardoon_core::{QueueName, Signature, SignatureOptions};
use cardoon_errors::Result;
use cardoon_results::memory::MemoryResults;
use cardoon_runtime::{Clock, Doorbell};
use cardoon_worker::{Handler, TaskDefinition, TaskOptions, Worker};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, default: u64| {
        arguments.get(place).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (tasks, slots) = (number(0, 200_000), number(1, 4));
    let blocking = arguments.get(2).is_some_and(|kind| kind == "blocking");
    let clock = Clock::real();
    let (broker, results) = (MemoryBroker::new(clock.clone()), MemoryResults::new(clock.clone()));
    for answer in broker.publish((0..tasks).map(|_| message()).collect::<Result<_>>()?).await {
        answer?;
    }
    let (count, all) = (Arc::new(AtomicU64::new(0)), Arc::new(Doorbell::default()));
    let (counting, ringing) = (Arc::clone(&count), Arc::clone(&all));
    let done = move || {
        if counting.fetch_add(1, Ordering::Relaxed) + 1 == tasks {
            ringing.ring();
        }
        Ok(Bytes::from_static(b"null"))
    };
    let worker = Worker::builder(broker, results, false)
        .task(definition(done, blocking))
        .concurrency(slots as u32)
        .build()?;
    let handle = worker.handle();
    let began = clock.boot();
    let running = tokio::join!(worker.run(), async {
        all.wait(&clock, None).await;
        handle.drain();
        clock.boot().since(began)
    });
    let (exit, time) = running;
    exit?;
    println!(
        "{tasks} tasks, {slots} slots: {:.3} s, {:.0}/s",
        time.as_secs_f64(),
        tasks as f64 / time.as_secs_f64()
    );
    Ok(())
}

fn definition(
    done: impl Fn() -> cardoon_worker::TaskResult + Send + Sync + 'static,
    blocking: bool,
) -> TaskDefinition {
    let done = Arc::new(done);
    let handler = if blocking {
        Handler::blocking(move |_, _| done())
    } else {
        Handler::asynchronous(move |_, _| {
            let done = Arc::clone(&done);
            async move { done() }
        })
    };
    TaskDefinition {
        name: "noop".into(),
        options: TaskOptions::default(),
        handler,
        parameters: Vec::new(),
        states: Vec::new(),
    }
}

fn message() -> Result<Publish> {
    let signature = Signature {
        task: "noop".into(),
        args: Bytes::from_static(b"[]"),
        kwargs: Bytes::from_static(b"{}"),
        options: SignatureOptions::default(),
    };
    Ok(Publish {
        queue: QueueName::default(),
        message: cardoon_protocol::encode(&signature, cardoon_runtime::ids::task_id(), "drain")?,
        not_before: None,
        resent: false,
    })
}
