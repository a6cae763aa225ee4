//! What a worker is told through its broker.

use std::sync::Arc;

use cardoon_broker::{Broker, Order};
use cardoon_core::{QueueName, TaskState};
use cardoon_worker::{Handler, TaskOptions, WorkerExit};
use tokio::sync::Semaphore;

use crate::support::{Bench, definition, echo, nothing, until};

#[tokio::test]
async fn a_worker_that_is_told_to_drain_finishes_what_runs_and_ends() {
    let bench = Bench::without_worker();
    let gate = Arc::new(Semaphore::new(0));
    let running = bench.worker(vec![definition("wait", TaskOptions::default(), waiting(&gate))]);
    let id = bench.send("wait", "[]").await;
    until(async || bench.held().await == 1).await;
    order(&bench, Order::Drain).await;
    gate.add_permits(1);
    assert_eq!(running.ended().await, WorkerExit::Drained);
    assert_eq!(bench.wait(&id).await.state, TaskState::Success, "it was not broken off");
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_hands_back_what_runs() {
    let bench = Bench::without_worker();
    let gate = Arc::new(Semaphore::new(0));
    let running = bench.worker(vec![definition("wait", TaskOptions::default(), waiting(&gate))]);
    bench.send("wait", "[]").await;
    until(async || bench.held().await == 1).await;
    order(&bench, Order::Stop).await;
    assert_eq!(running.ended().await, WorkerExit::Drained);
    let queues = bench.broker.inspect().queues().await.unwrap();
    assert_eq!((queues[0].ready, queues[0].held), (1, 0), "the task waits for another worker");
}

#[tokio::test]
async fn a_task_that_is_sent_to_a_paused_queue_runs_when_it_is_resumed() {
    let bench = Bench::start(vec![definition("echo", TaskOptions::default(), echo())]);
    let queue = QueueName::default();
    bench.broker.control().pause(&queue).await.unwrap();
    let id = bench.send("echo", "[1]").await;
    let stats = bench.broker.inspect().queues().await.unwrap();
    assert_eq!((stats[0].ready, stats[0].paused), (1, true));
    bench.broker.control().resume(&queue).await.unwrap();
    assert_eq!(bench.wait(&id).await.state, TaskState::Success);
    bench.end().await;
}

fn waiting(gate: &Arc<Semaphore>) -> Handler {
    let gate = Arc::clone(gate);
    Handler::asynchronous(move |_, _| {
        let gate = Arc::clone(&gate);
        async move {
            gate.acquire().await.unwrap().forget();
            nothing()
        }
    })
}

async fn order(bench: &Bench, order: Order) {
    let members = bench.broker.inspect().members().await.unwrap();
    assert!(bench.broker.control().order(members[0].session, order).await.unwrap());
}
