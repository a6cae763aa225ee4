//! Lists that are longer, or more colourful, than one page's look.

use std::collections::HashSet;
use std::sync::Arc;

use cardoon_core::{Position, QueueName, ResultRecord, RunNumber, TaskFilter, TaskId, TaskState, Timestamp};
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;
use cardoon_sqlite::{SqliteOptions, SqliteStore};

#[tokio::test]
async fn a_list_of_more_kinds_of_tasks_than_are_merged_has_each_record_once() {
    let folder = cardoon_testkit::folder().unwrap();
    let store = stored(&folder, 400, |n| format!("task.{n}")).await;
    let found = all(&store, &TaskFilter::default(), 64).await;
    assert_eq!((found.len(), found.iter().collect::<HashSet<_>>().len()), (400, 400));
}

#[tokio::test]
async fn a_text_that_stands_far_back_is_found_over_pages_that_have_nothing() {
    let folder = cardoon_testkit::folder().unwrap();
    let store = stored(&folder, 45_000, |_| "mail.send".into()).await;
    let filter = TaskFilter { text: Some("id-00003".into()), ..TaskFilter::default() };
    let first = store.list(&filter, None, 10).await.unwrap();
    assert!(first.items.is_empty() && first.next.is_some(), "one page looks at a bounded number of tasks");
    assert_eq!(all(&store, &filter, 10).await, ["id-00003"]);
}

async fn stored(
    folder: &cardoon_testkit::TempDir,
    count: usize,
    task: impl Fn(usize) -> String,
) -> Arc<SqliteStore> {
    let path = folder.path().join("tasks.db");
    let store = SqliteStore::open(path, &SqliteOptions::default(), &Clock::real()).unwrap();
    let now = Clock::real().now();
    let record = |n: usize| ResultRecord {
        id: TaskId::new(format!("id-{n:05}")).unwrap(),
        task: task(n),
        queue: QueueName::default(),
        state: TaskState::Success,
        run: RunNumber(1),
        attempt: 0,
        value: None,
        failure: None,
        worker: "one".into(),
        started_at: None,
        finished_at: Timestamp(now.0 + n as i64),
    };
    for stored in store.store((0..count).map(record).collect()).await {
        stored.unwrap();
    }
    store
}

/// The ids on all pages, each of at most `limit`.
async fn all(store: &SqliteStore, filter: &TaskFilter, limit: usize) -> Vec<String> {
    let (mut found, mut after): (Vec<String>, Option<Position>) = (Vec::new(), None);
    loop {
        let page = store.list(filter, after.as_ref(), limit).await.unwrap();
        found.extend(page.items.iter().map(|record| record.id.to_string()));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}
