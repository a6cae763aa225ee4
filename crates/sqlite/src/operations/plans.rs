//! How SQLite finds the rows that the operations ask for: never by reading a table.

use cardoon_broker::{Delivery, Publish, Settle};
use cardoon_core::rescue::Loss;
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_core::{Message, Priority, QueueName, ResultRecord, RunNumber, TaskId, TaskState, Timestamp};
use cardoon_results::BeginRun;
use rusqlite::Connection;

use super::claim::{Claimer, claim, is_due};
use super::publish::publish;
use super::rescue::{LostSession, rescue};
use super::revoke::revoke;
use super::runs;
use super::settle::settle;
use crate::live::Marks;
use crate::tables::{Step, StepState, queues, records, seen, sessions};

const NOW: Timestamp = Timestamp(1_000_000);

#[test]
fn no_operation_of_a_tasks_life_reads_a_whole_table() {
    let db = crate::additions::laid_out();
    seen::take();
    live(&mut Step::new(&db, NOW, &mut StepState::default()));
    let statements = seen::take();
    assert!(statements.len() > 20, "the operations prepare their statements where they are seen");
    for sql in statements {
        let plan = plan_of(&db, &sql);
        assert!(!plan.contains("TEMP B-TREE"), "{sql}\nsorts: {plan}");
        // Reading an index in its order until the first row is found is no reading of a table.
        assert!(!plan.contains("SCAN") || sql.ends_with("LIMIT 1"), "{sql}\nreads a whole table: {plan}");
    }
}

/// What happens to tasks when all goes well, and when it does not.
fn live(step: &mut Step<'_>) {
    for (name, due) in
        [("done", None), ("retried", None), ("held", None), ("lost", None), ("due", Some(NOW.0 - 1))]
    {
        publish(step, &message(name, 0, due)).unwrap();
    }
    publish(step, &message("delayed", 0, Some(NOW.0 + 1))).unwrap();
    publish(step, &message("revoked", 0, None)).unwrap();
    revoke(step, &id("revoked")).unwrap();
    revoke(step, &id("delayed")).unwrap();
    let queue = queues::number(step, &QueueName::default_queue()).unwrap();
    assert!(is_due(step.db, &[queue], NOW).unwrap());
    assert!(!sessions::contains(step, 1).unwrap());
    let taken =
        claim(step, &Claimer { session: 1, queues: vec![queue], max: 10, sequence: 1, ..Claimer::default() })
            .unwrap();
    assert_eq!(taken.len(), 5);
    settle(step, &end(&taken[0], TaskState::Success)).unwrap();
    settle(step, &end(&taken[1], TaskState::Retry)).unwrap();
    runs::register(step, &BeginRun { id: id("retried"), attempt: 1 }).unwrap();
    let released = Verdict::Release { cause: ReleaseCause::Interrupted };
    settle(step, &Settle::bare(taken[2].lease, released)).unwrap();
    settle(step, &Settle::bare(taken[3].lease, Verdict::Defer { until: Timestamp(NOW.0 + 5) })).unwrap();
    rescue(step, &LostSession { id: 1, loss: Loss::Died, marks: Marks::default() }, 10).unwrap();
    records::latest(step.db, &id("done"), Timestamp(0)).unwrap().unwrap();
    records::ended_after(step.db, 0, 10).unwrap();
}

fn plan_of(db: &Connection, sql: &str) -> String {
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = explain.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
    // The table of sessions has as many rows as there are workers.
    let harmless = |step: &String| step == "SCAN CONSTANT ROW" || step == "SCAN s";
    steps.unwrap().into_iter().filter(|step| !harmless(step)).collect::<Vec<_>>().join("; ")
}

fn id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

fn message(name: &str, attempt: u32, due: Option<i64>) -> Publish {
    let message = Message {
        id: id(name),
        attempt,
        task: "mail.send".into(),
        priority: Priority::default(),
        expires: None,
        content_type: "application/json".into(),
        content_encoding: "utf-8".into(),
        headers: "{}".into(),
        body: "[[],{},{}]".into(),
    };
    Publish { queue: QueueName::default_queue(), message, not_before: due.map(Timestamp), resent: false }
}

fn end(delivery: &Delivery, state: TaskState) -> Settle {
    let record = ResultRecord {
        id: delivery.message.id.clone(),
        task: delivery.message.task.clone(),
        queue: delivery.queue.clone(),
        state,
        run: RunNumber::FIRST,
        attempt: 0,
        value: None,
        failure: None,
        worker: "w1".into(),
        started_at: None,
        finished_at: NOW,
    };
    let follow_ups = match state {
        TaskState::Retry => vec![message(delivery.message.id.as_str(), 1, Some(NOW.0 + 9))],
        _ => Vec::new(),
    };
    Settle { record: Some(record), follow_ups, ..Settle::bare(delivery.lease, Verdict::Ack) }
}
