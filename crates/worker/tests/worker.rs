//! Whole workers on the memory adapters: what the engine's own tests cannot see.
#![expect(clippy::unwrap_used, reason = "a test says by a panic what went wrong")]

mod orders;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::{Broker, Publish};
use cardoon_core::lease::LeaseTerms;
use cardoon_core::{DeadReason, EventKind, QueueName, RetryPolicy, TaskState};
use cardoon_errors::{Applied, Code};
use cardoon_protocol::Limits;
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;
use cardoon_sqlite::{SqliteOptions, SqliteStore};
use cardoon_worker::{
    AckMode, CancelReason, Handler, StateNeed, TaskDefinition, TaskError, TaskOptions, Worker, WorkerExit,
};
use support::{Bench, definition, echo, nothing};

#[tokio::test]
async fn a_task_runs_and_its_value_can_be_waited_for() {
    let bench = Bench::start(vec![definition("echo", TaskOptions::default(), echo())]);
    let id = bench.send("echo", r#"["hello"]"#).await;
    let record = bench.wait(&id).await;
    assert_eq!((record.state, record.value.as_deref()), (TaskState::Success, Some(&br#"["hello"]"#[..])));
    assert_eq!(bench.end().await, WorkerExit::Drained);
}

#[tokio::test]
async fn a_failing_task_is_retried_and_every_failure_is_in_its_history() {
    let retry = RetryPolicy { base: Duration::from_millis(1), max_retries: 2, ..RetryPolicy::default() };
    let failing = Handler::asynchronous(|_, _| async { Err(TaskError::new("E", "it broke")) });
    let bench =
        Bench::start(vec![definition("fail", TaskOptions { retry, ..TaskOptions::default() }, failing)]);
    let id = bench.send("fail", "[]").await;
    assert_eq!(bench.wait(&id).await.state, TaskState::Failure);
    let history = bench.results.history(&id).await.unwrap();
    let states: Vec<_> = history.iter().map(|record| (record.state, record.attempt)).collect();
    assert_eq!(states, [(TaskState::Retry, 0), (TaskState::Retry, 1), (TaskState::Failure, 2)]);
    bench.end().await;
    let dead = bench.broker.dead_letters().show(&id).await.unwrap().unwrap();
    assert_eq!(dead.reason, DeadReason::RetriesExhausted);
}

#[tokio::test]
async fn a_message_of_the_largest_size_is_retried_although_its_retry_is_larger() {
    let tries = Arc::new(AtomicU32::new(0));
    let trying = Handler::asynchronous(move |_, _| {
        let first = tries.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err(TaskError::retry_in(Duration::ZERO, "not yet")) } else { nothing() } }
    });
    let bench = Bench::without_worker();
    let message = support::message("try", "[]");
    let limits = Limits { max_bytes: message.size(), ..Limits::default() };
    let tasks = vec![definition("try", TaskOptions::default(), trying)];
    let worker = bench.run(bench.builder(tasks).limits(limits));
    let id = bench.publish(message).await;
    let record = bench.wait(&id).await;
    assert_eq!((record.state, record.attempt), (TaskState::Success, 1), "{:?}", record.failure);
    worker.stop().await;
}

#[tokio::test]
async fn a_panic_is_a_failure_in_both_kinds_of_task_and_the_worker_goes_on() {
    let retry = RetryPolicy::never();
    let options = TaskOptions { retry, ..TaskOptions::default() };
    let bench = Bench::start(vec![
        definition("future", options.clone(), Handler::asynchronous(|_, _| async { panic!("oh {}", 1) })),
        definition("thread", options, Handler::blocking(|_, _| panic!("oh 1"))),
    ]);
    for task in ["future", "thread", "future", "thread"] {
        let id = bench.send(task, "[]").await;
        let failure = bench.wait(&id).await.failure.unwrap();
        assert_eq!((failure.kind.as_str(), failure.message.as_str()), (TaskError::PANIC, "oh 1"));
    }
    bench.end().await;
}

#[tokio::test]
async fn broken_messages_of_every_kind_are_buried_with_their_bytes_and_the_worker_goes_on() {
    let bench = Bench::start(vec![definition("echo", TaskOptions::default(), echo())]);
    let deep = format!("[[{}{}],{{}},{{}}]", "[".repeat(500), "]".repeat(500));
    let bodies = [&b"not json"[..], b"", b"{}", b"[1]", b"\xff\xfe", b"[[],[],{}]", deep.as_bytes()];
    for body in bodies {
        let mut message = support::message("echo", "[]");
        message.body = Bytes::copy_from_slice(body);
        let id = bench.publish(message).await;
        let record = bench.wait(&id).await;
        assert_eq!((record.state, record.failure.unwrap().kind.as_str()), (TaskState::Failure, "BadMessage"));
        let dead = bench.dead(&id).await;
        assert_eq!(dead.message.body, body);
        assert_eq!(dead.reason, DeadReason::Malformed);
    }
    let mut pickle = support::message("echo", "[]");
    pickle.content_type = "application/x-python-serialize".into();
    let id = bench.publish(pickle).await;
    bench.wait(&id).await;
    assert_eq!(bench.dead(&id).await.reason, DeadReason::Refused);
    let id = bench.send("unheard-of", "[]").await;
    bench.wait(&id).await;
    assert_eq!(bench.dead(&id).await.reason, DeadReason::UnknownTask);
    let id = bench.send("echo", "[1]").await;
    assert_eq!(bench.wait(&id).await.state, TaskState::Success);
    bench.end().await;
}

#[tokio::test]
async fn bad_arguments_go_to_the_dead_letters_without_a_retry() {
    let picky = Handler::asynchronous(|_, arguments| async move {
        arguments.bind(&["x"])?.take::<i64>(0)?;
        nothing()
    });
    let bench = Bench::start(vec![definition("picky", TaskOptions::default(), picky)]);
    let id = bench.send("picky", "[1,2]").await;
    assert_eq!(bench.wait(&id).await.attempt, 0);
    assert_eq!(bench.dead(&id).await.reason, DeadReason::BadArguments);
    bench.end().await;
}

#[tokio::test]
async fn a_revoked_running_task_is_told_and_recorded_as_revoked() {
    let patient = Handler::asynchronous(|context, _| async move {
        context.progress(1, Some(2), "half");
        match context.cancelled().await {
            CancelReason::Revoked => nothing(),
            other => panic!("{other:?}"),
        }
    });
    let bench = Bench::start(vec![definition("patient", TaskOptions::default(), patient)]);
    let id = bench.send("patient", "[]").await;
    support::until(async || bench.results.progress(&id).await.unwrap().is_some()).await;
    bench.broker.revoke(vec![id.clone()]).await.remove(0).unwrap();
    assert_eq!(bench.wait(&id).await.state, TaskState::Revoked);
    bench.end().await;
}

#[tokio::test]
async fn a_future_that_sleeps_beyond_its_limit_is_ended() {
    let options = TaskOptions {
        time_limit: Some(Duration::from_millis(50)),
        retry: RetryPolicy::never(),
        ..TaskOptions::default()
    };
    let forever = Handler::asynchronous(|_, _| std::future::pending());
    let bench = Bench::start(vec![definition("forever", options, forever)]);
    let id = bench.send("forever", "[]").await;
    assert_eq!(bench.wait(&id).await.failure.unwrap().kind, TaskError::TIME_LIMIT);
    assert_eq!(bench.end().await, WorkerExit::Drained);
}

#[tokio::test]
async fn a_future_that_blocks_the_whole_runtime_still_meets_its_limit() {
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = Arc::new(std::sync::Mutex::new(gate));
    let stubborn = Handler::asynchronous(move |_, _| {
        let gate = Arc::clone(&gate);
        async move {
            let _ = gate.lock().unwrap().recv();
            nothing()
        }
    });
    let options = TaskOptions {
        time_limit: Some(Duration::from_millis(50)),
        retry: RetryPolicy::never(),
        ..TaskOptions::default()
    };
    // Its runtime has one thread, which the task holds: nothing of the worker may depend on it.
    let bench = Bench::without_worker();
    let worker =
        bench.builder(vec![definition("stubborn", options, stubborn)]).concurrency(1).build().unwrap();
    let (told, exit) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = told.send(runtime.block_on(worker.run()));
    });
    let id = bench.send("stubborn", "[]").await;
    assert_eq!(bench.wait(&id).await.failure.unwrap().kind, TaskError::TIME_LIMIT);
    release.send(()).unwrap();
    assert_eq!(exit.await.unwrap().unwrap(), WorkerExit::SlotsLost);
    thread.unwrap().join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_future_that_blocks_its_thread_holds_up_no_other() {
    for names in [["block", "free"], ["free", "block"]] {
        let (free, freed) = std::sync::mpsc::channel();
        let freed = std::sync::Mutex::new(freed);
        let blocking = Handler::asynchronous(move |_, _| {
            let freed = freed.lock().unwrap().recv_timeout(Duration::from_secs(20));
            async move { if freed.is_ok() { nothing() } else { Err(TaskError::new("E", "nobody came")) } }
        });
        let freeing = Handler::asynchronous(move |_, _| {
            let free = free.clone();
            async move {
                tokio::task::yield_now().await;
                free.send(()).unwrap();
                nothing()
            }
        });
        let options = TaskOptions { retry: RetryPolicy::never(), ..TaskOptions::default() };
        let tasks =
            vec![definition("block", options.clone(), blocking), definition("free", options, freeing)];
        // Both wait before the worker starts, so that they begin in one step.
        let bench = Bench::without_worker();
        let ids = [bench.send(names[0], "[]").await, bench.send(names[1], "[]").await];
        let worker = bench.worker(tasks);
        for id in ids {
            assert_eq!(bench.wait(&id).await.state, TaskState::Success, "{names:?}");
        }
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn futures_that_give_their_thread_away_hold_up_no_other() {
    const BLOCKED: usize = 3;
    let (free, freed) = std::sync::mpsc::channel();
    let freed = std::sync::Mutex::new(freed);
    let freed = Arc::new(move || freed.lock().unwrap().recv_timeout(Duration::from_secs(20)).is_ok());
    let blocking = Handler::asynchronous(move |_, _| {
        let freed = Arc::clone(&freed);
        async move {
            let in_time = tokio::task::block_in_place(|| freed());
            if in_time { nothing() } else { Err(TaskError::new("E", "nobody came")) }
        }
    });
    let freeing = Handler::asynchronous(move |_, _| {
        (0..BLOCKED).for_each(|_| free.send(()).unwrap());
        async { nothing() }
    });
    let options = TaskOptions { retry: RetryPolicy::never(), ..TaskOptions::default() };
    let tasks = vec![definition("block", options.clone(), blocking), definition("free", options, freeing)];
    let bench = Bench::without_worker();
    let mut ids = Vec::new();
    for _ in 0..BLOCKED {
        ids.push(bench.send("block", "[]").await);
    }
    ids.push(bench.send("free", "[]").await);
    let worker = bench.run(bench.builder(tasks).concurrency(BLOCKED as u32 + 1));
    for id in ids {
        assert_eq!(bench.wait(&id).await.state, TaskState::Success);
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_drain_hands_back_what_has_not_begun_and_finishes_what_has() {
    let (started, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(tokio::sync::Semaphore::new(0)));
    let (counting, waiting) = (Arc::clone(&started), Arc::clone(&gate));
    let slow = Handler::asynchronous(move |_, _| {
        counting.fetch_add(1, Ordering::SeqCst);
        let waiting = Arc::clone(&waiting);
        async move {
            let _ = waiting.acquire().await;
            nothing()
        }
    });
    let bench = Bench::start(vec![definition("slow", TaskOptions::default(), slow)]);
    let ids =
        [bench.send("slow", "[]").await, bench.send("slow", "[]").await, bench.send("slow", "[]").await];
    support::until(async || started.load(Ordering::SeqCst) == 2).await;
    bench.handle.drain();
    bench.handle.drain();
    gate.add_permits(10);
    assert_eq!(bench.end().await, WorkerExit::Drained);
    let records = bench.results.get(&ids).await.unwrap();
    assert_eq!(records.iter().flatten().filter(|record| record.state == TaskState::Success).count(), 2);
    let stats = bench.broker.inspect().queues().await.unwrap();
    assert_eq!((stats[0].ready, stats[0].held), (1, 0));
}

#[tokio::test]
async fn a_stop_interrupts_and_the_tasks_run_elsewhere_without_a_failure() {
    let forever = || Handler::asynchronous(|_, _| std::future::pending());
    let bench = Bench::start(vec![definition("t", TaskOptions::default(), forever())]);
    let id = bench.send("t", "[]").await;
    support::until(async || bench.held().await == 1).await;
    bench.handle.stop();
    bench.end().await;
    assert_eq!(bench.results.history(&id).await.unwrap(), []);
    let again = bench.worker(vec![definition("t", TaskOptions::default(), echo())]);
    let record = bench.wait(&id).await;
    assert_eq!((record.state, record.attempt), (TaskState::Success, 0));
    assert!(record.run.0 > 1, "a second run has a larger number");
    again.stop().await;
}

#[tokio::test]
async fn an_early_acknowledged_task_is_recorded_and_retried_as_its_policy_says() {
    let tries = Arc::new(AtomicU32::new(0));
    let trying = Handler::asynchronous(move |_, _| {
        let first = tries.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err(TaskError::retry_in(Duration::ZERO, "not yet")) } else { nothing() } }
    });
    let options = TaskOptions { ack: AckMode::Early, ..TaskOptions::default() };
    let bench = Bench::start(vec![definition("early", options, trying)]);
    let id = bench.send("early", "[]").await;
    let record = bench.wait(&id).await;
    assert_eq!((record.state, record.attempt), (TaskState::Success, 1));
    bench.end().await;
}

#[tokio::test]
async fn blocking_tasks_run_side_by_side_and_inside_the_programs_runtime() {
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let meet = Handler::blocking(move |_, _| {
        barrier.wait();
        tokio::runtime::Handle::current().block_on(async { nothing() })
    });
    let bench = Bench::start(vec![definition("meet", TaskOptions::default(), meet)]);
    let ids = [bench.send("meet", "[]").await, bench.send("meet", "[]").await];
    for id in &ids {
        assert_eq!(bench.wait(id).await.state, TaskState::Success);
    }
    bench.end().await;
}

#[tokio::test]
async fn many_blocking_tasks_share_as_many_threads_as_there_are_slots() {
    let threads = Arc::new(std::sync::Mutex::new(std::collections::HashSet::new()));
    let seen = Arc::clone(&threads);
    let quick = Handler::blocking(move |_, _| {
        seen.lock().unwrap().insert(std::thread::current().id());
        nothing()
    });
    let bench = Bench::without_worker();
    let tasks = vec![definition("quick", TaskOptions::default(), quick)];
    let worker = bench.run(bench.builder(tasks).concurrency(4));
    let mut ids = Vec::new();
    for _ in 0..3000 {
        ids.push(bench.send("quick", "[]").await);
    }
    for id in &ids {
        assert_eq!(bench.wait(id).await.state, TaskState::Success);
    }
    worker.stop().await;
    assert!(threads.lock().unwrap().len() <= 4, "{threads:?}");
}

#[tokio::test]
async fn a_thread_whose_task_ended_late_is_used_again() {
    let threads = Arc::new(std::sync::Mutex::new(std::collections::HashSet::new()));
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let (seen, gate) = (Arc::clone(&threads), Arc::new(std::sync::Mutex::new(gate)));
    let stubborn = Handler::blocking(move |_, _| {
        seen.lock().unwrap().insert(std::thread::current().id());
        let _ = gate.lock().unwrap().recv();
        nothing()
    });
    let options = TaskOptions {
        time_limit: Some(Duration::from_millis(20)),
        retry: RetryPolicy::never(),
        ..TaskOptions::default()
    };
    let bench = Bench::without_worker();
    let tasks = vec![definition("stubborn", options, stubborn)];
    let worker = bench.run(bench.builder(tasks).concurrency(4));
    for _ in 0..20 {
        let id = bench.send("stubborn", "[]").await;
        assert_eq!(bench.wait(&id).await.failure.unwrap().kind, TaskError::TIME_LIMIT);
        release.send(()).unwrap();
    }
    assert_eq!(worker.stop().await, WorkerExit::Drained, "each slot came back");
    assert!(threads.lock().unwrap().len() <= 4, "{threads:?}");
}

#[tokio::test]
async fn events_tell_the_way_of_a_task() {
    let bench = Bench::start(vec![definition("echo", TaskOptions::default(), echo())]);
    let mut stream = bench.broker.listen().await.unwrap();
    let id = bench.send("echo", "[]").await;
    let mut kinds = Vec::new();
    while kinds.last() != Some(&EventKind::TaskSucceeded) {
        let events = stream.next().await.unwrap();
        kinds.extend(events.iter().filter(|event| event.id.as_ref() == Some(&id)).map(|event| event.kind));
    }
    assert_eq!(kinds, [EventKind::TaskReceived, EventKind::TaskStarted, EventKind::TaskSucceeded]);
    bench.end().await;
}

#[tokio::test]
async fn a_worker_that_cannot_work_is_refused_before_it_starts() {
    let bench = Bench::without_worker();
    let code = |tasks: Vec<TaskDefinition>| bench.builder(tasks).build().map(|_| ()).unwrap_err().code();
    let plain = || definition("t", TaskOptions::default(), echo());
    assert_eq!(code(vec![]), Code::NoTasks);
    assert_eq!(code(vec![plain(), plain()]), Code::DuplicateTask);
    assert_eq!(
        code(vec![TaskDefinition { states: vec![StateNeed::of::<u8>()], ..plain() }]),
        Code::StateMissing
    );
    let impatient = |heartbeat| {
        let terms = LeaseTerms { lease: Duration::from_secs(2), heartbeat };
        bench.builder(vec![plain()]).terms(terms).build().map(|_| ()).map_err(|error| error.code())
    };
    assert_eq!(
        impatient(LeaseTerms::default().heartbeat),
        Err(Code::BadSetting),
        "the living would look lost"
    );
    assert_eq!(impatient(Duration::ZERO), Err(Code::BadSetting));
    assert_eq!(impatient(Duration::from_millis(500)), Ok(()));
    let joined = Worker::builder(bench.broker.clone(), bench.results.clone(), true).task(plain());
    assert_eq!(joined.build().map(|_| ()).unwrap_err().code(), Code::Unsupported);
}

#[tokio::test]
async fn states_reach_the_tasks_that_need_them() {
    let counting = Handler::asynchronous(|context, _| async move {
        let text = context.state::<String>().map(|state| state.to_string()).unwrap_or_default();
        Ok(serde_json::to_vec(&text)?.into())
    });
    let need = TaskDefinition {
        states: vec![StateNeed::of::<String>()],
        ..definition("t", TaskOptions::default(), counting)
    };
    let bench = Bench::without_worker();
    let worker = bench.run(bench.builder(vec![need]).state("pool".to_owned()));
    let id = bench.send("t", "[]").await;
    assert_eq!(bench.wait(&id).await.value.as_deref(), Some(&br#""pool""#[..]));
    worker.stop().await;
}

#[tokio::test]
async fn a_store_that_fails_for_a_while_costs_no_verdict() {
    for answer in [Applied::No, Applied::Unknown] {
        let (gate, tries) = (Arc::new(tokio::sync::Semaphore::new(0)), Arc::new(AtomicU32::new(0)));
        let waiting = Arc::clone(&gate);
        let slow = Handler::asynchronous(move |_, _| {
            let (waiting, tries) = (Arc::clone(&waiting), Arc::clone(&tries));
            async move {
                let _ = waiting.acquire().await;
                match tries.fetch_add(1, Ordering::SeqCst) {
                    0 => Err(TaskError::retry_in(Duration::ZERO, "once more")),
                    _ => nothing(),
                }
            }
        });
        let bench = Bench::start(vec![definition("slow", TaskOptions::default(), slow)]);
        let id = bench.send("slow", "[]").await;
        support::until(async || bench.held().await == 1).await;
        bench.broker.faults().fail_next(4, answer);
        gate.add_permits(1);
        let record = bench.wait(&id).await;
        assert_eq!((record.state, record.attempt), (TaskState::Success, 1));
        bench.end().await;
    }
}

#[tokio::test]
async fn a_task_that_only_another_worker_knows_reaches_it() {
    let bench = Bench::start(vec![definition("old", TaskOptions::default(), echo())]);
    let newer = bench.worker(vec![definition("new", TaskOptions::default(), echo())]);
    support::until(async || bench.broker.inspect().members().await.unwrap().len() == 2).await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(bench.send("new", "[]").await);
    }
    for id in &ids {
        assert_eq!(bench.wait(id).await.state, TaskState::Success);
    }
    newer.stop().await;
    bench.end().await;
}

#[tokio::test]
async fn on_one_store_a_retry_its_record_and_its_result_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks.db");
    let store = SqliteStore::open(&path, &SqliteOptions::default(), &Clock::real()).unwrap();
    let tries = Arc::new(AtomicU32::new(0));
    let trying = Handler::asynchronous(move |_, _| {
        let first = tries.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err(TaskError::retry_in(Duration::ZERO, "not yet")) } else { nothing() } }
    });
    let tasks = [definition("try", TaskOptions::default(), trying)];
    let worker =
        Worker::builder(store.clone(), store.clone(), true).tasks(tasks).concurrency(2).build().unwrap();
    let message = support::message("try", "[]");
    let id = message.id.clone();
    let publish = Publish { queue: QueueName::default(), message, not_before: None, resent: false };
    store.publish(vec![publish]).await.remove(0).unwrap();
    let handle = worker.handle();
    let (exit, record) = tokio::join!(worker.run(), async {
        let record = store.wait(&id, Some(Duration::from_secs(30))).await.unwrap().unwrap();
        handle.drain();
        record
    });
    assert_eq!(exit.unwrap(), WorkerExit::Drained);
    assert_eq!((record.state, record.attempt), (TaskState::Success, 1));
    assert_eq!(store.history(&id).await.unwrap().len(), 2);
}
