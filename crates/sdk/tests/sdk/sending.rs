//! How signatures become stored messages.

use std::collections::HashMap;
use std::time::Duration;

use cardoon::prelude::*;
use cardoon::{Applied, Code, Error, Priority, Timestamp};
use cardoon_broker::Published;
use cardoon_core::EventKind;
use cardoon_runtime::{Clock, ManualClock};
use cardoon_settings::{Settings, Sources};
use serde_json::Value;

use crate::support::ScriptedBroker;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

#[cardoon::task]
async fn plain(x: i64) {
    let _ = x;
}

#[cardoon::task(queue = "mail", priority = 7, expires = "1m", ignore_result)]
async fn with_options() {}

#[cardoon::task]
async fn odd_arguments(map: HashMap<Vec<u8>, i64>) {
    drop(map);
}

fn standing_clock() -> Clock {
    Clock::manual(&ManualClock::new(NOW))
}

fn unknown() -> Error {
    Error::new(Code::NoAnswer, "the store did not answer").applied(Applied::Unknown)
}

fn calls(count: i64) -> impl Iterator<Item = TypedSignature<()>> {
    (0..count).map(plain::signature)
}

#[tokio::test]
async fn the_call_goes_before_the_task_and_the_task_before_the_defaults() {
    let broker = ScriptedBroker::new();
    let app = broker.app(&standing_clock());
    app.send(plain::signature(1)).await.unwrap();
    app.send(with_options::signature()).await.unwrap();
    let call =
        with_options::signature().queue("now").priority(9).expires(Timestamp(NOW.0 + 5)).ignore_result(false);
    app.send(call).await.unwrap();

    let [defaults, task, call] = &broker.messages()[..] else { panic!("three were sent") };
    let shown = |publish: &cardoon_broker::Publish| {
        let headers: Value = serde_json::from_slice(&publish.message.headers).unwrap();
        let ignored = headers["ignore_result"].as_bool().unwrap();
        (publish.queue.to_string(), publish.message.priority, publish.message.expires, ignored)
    };
    assert_eq!(shown(defaults), ("celery".into(), Priority::default(), None, false));
    let in_a_minute = Some(Timestamp(NOW.0 + 60_000));
    assert_eq!(shown(task), ("mail".into(), Priority::new(7), in_a_minute, true));
    assert_eq!(shown(call), ("now".into(), Priority::new(9), Some(Timestamp(NOW.0 + 5)), false));
}

#[tokio::test]
async fn a_countdown_counts_from_sending_and_an_eta_wins() {
    let broker = ScriptedBroker::new();
    let app = broker.app(&standing_clock());
    let later = plain::signature(1).countdown(Duration::from_secs(5));
    app.send(later.clone()).await.unwrap();
    app.send(later.eta(Timestamp(7))).await.unwrap();
    let due: Vec<_> = broker.messages().iter().map(|publish| publish.not_before).collect();
    assert_eq!(due, [Some(Timestamp(NOW.0 + 5000)), Some(Timestamp(7))]);
}

#[tokio::test]
async fn a_message_that_may_be_stored_is_sent_again_under_its_id() {
    let broker = ScriptedBroker::new();
    let app = broker.app(&Clock::real());
    broker.answer([Err(unknown()), Err(unknown()), Ok(Published::Duplicate)]);
    let handle = app.send(plain::signature(1)).await.unwrap();
    let messages = broker.messages();
    assert_eq!(messages.iter().map(|publish| publish.resent).collect::<Vec<_>>(), [false, true, true]);
    assert!(messages.iter().all(|publish| publish.message.id == *handle.id()));
}

#[tokio::test]
async fn an_answer_that_stays_unknown_is_said_to_be_unknown() {
    let broker = ScriptedBroker::new();
    let app = broker.app(&Clock::real());
    broker.answer(std::iter::repeat_with(|| Err(unknown())).take(100));
    let error = app.send(plain::signature(1)).await.unwrap_err();
    assert_eq!(error.was_applied(), Applied::Unknown);
    assert_eq!(broker.messages().len(), 5, "the tries are bounded");
}

#[tokio::test]
async fn a_refused_message_is_not_sent_again() {
    let broker = ScriptedBroker::new();
    let app = broker.app(&Clock::real());
    broker.answer([Err(Error::new(Code::DiskFull, "no space"))]);
    assert_eq!(app.send(plain::signature(1)).await.unwrap_err().code(), Code::DiskFull);
    assert_eq!(broker.messages().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_the_broker_sees_it() {
    let broker = ScriptedBroker::new();
    let app = broker.app(&Clock::real());
    let code = async |signature| app.send(signature).await.unwrap_err().code();
    let odd = odd_arguments::signature(HashMap::from([(vec![1], 1)]));
    assert_eq!(code(odd).await, Code::NotSerializable);
    assert_eq!(code(plain::signature(1).queue("")).await, Code::BadName);
    assert_eq!(code(plain::signature(1).id("a\nb")).await, Code::BadName);
    let no_list = TypedSignature::named("plain").args("text");
    assert_eq!(code(no_list).await, Code::NotSerializable);
    let huge = TypedSignature::named("plain").args(("x".repeat(17 << 20),));
    assert_eq!(code(huge).await, Code::TooLarge);
    assert!(broker.messages().is_empty());
}

#[tokio::test]
async fn the_limit_of_the_settings_binds_the_sender_of_one_and_of_many() {
    let file = "[limits]\nmessage_size = \"1KiB\"\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cardoon.toml"), file).unwrap();
    let url = format!("sqlite:{}", folder.path().join("tasks.db").display());
    let sources = Sources {
        environment: vec![("CARDOON_BROKER".into(), url)],
        folder: Some(folder.path().to_owned()),
        ..Sources::default()
    };
    let app = App::from_settings(&Settings::load(&sources).unwrap()).await.unwrap();
    let large = || TypedSignature::<()>::named("plain").args(("x".repeat(1024),));
    assert_eq!(app.send(large()).await.unwrap_err().code(), Code::TooLarge);
    assert_eq!(app.send_many([large(), large()]).await.unwrap_err().code(), Code::TooLarge);
    assert!(app.stores().broker.inspect().queues().await.unwrap().iter().all(|queue| queue.ready == 0));
    app.send(TypedSignature::<()>::named("plain").args(("x",))).await.unwrap();
}

#[tokio::test]
async fn many_are_sent_in_order_and_in_few_steps() {
    let broker = ScriptedBroker::new();
    let app = broker.app(&Clock::real());
    let handles = app.send_many(calls(2000)).await.unwrap();
    let messages = broker.messages();
    assert_eq!(messages.len(), 2000);
    assert!(handles.iter().zip(&messages).all(|(handle, publish)| *handle.id() == publish.message.id));
    assert!(messages[1999].message.body.starts_with(b"[[1999],"));
    assert!(broker.batches().len() < 20);
    assert!(app.send_many(calls(0)).await.unwrap().is_empty());
}

#[tokio::test]
async fn one_that_cannot_be_sent_does_not_keep_the_others() {
    let broker = ScriptedBroker::new();
    let app = broker.app(&Clock::real());
    let mixed = || calls(3).enumerate().map(|(i, call)| if i == 1 { call.queue("") } else { call });
    let answers = app.send_each(mixed()).await;
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let error = app.send_many(mixed()).await.unwrap_err();
    assert_eq!(error.code(), Code::BadName);
    assert!(error.findings().contains(&"2 of 3 tasks were sent".to_owned()), "{:?}", error.findings());
}

#[tokio::test]
async fn of_many_only_those_in_doubt_are_sent_again() {
    let broker = ScriptedBroker::new();
    let app = broker.app(&Clock::real());
    broker.answer([Ok(Published::Stored), Err(unknown()), Ok(Published::Stored)]);
    let handles = app.send_many(calls(3)).await.unwrap();
    let [first, again] = &broker.batches()[..] else { panic!("two steps") };
    assert_eq!((first.len(), again.len()), (3, 1));
    assert!(again[0].resent && again[0].message.id == *handles[1].id());
}

#[tokio::test]
async fn sending_is_told_to_those_who_listen() {
    let broker = ScriptedBroker::new();
    let app = broker.app(&Clock::real());
    app.send(plain::signature(1)).await.unwrap();
    assert!(broker.events().is_empty(), "nobody listens");

    broker.listen_to_events();
    broker.answer([Err(Error::new(Code::DiskFull, "no space"))]);
    app.send(plain::signature(1)).await.unwrap_err();
    let handle = app.send(plain::signature(1)).await.unwrap();
    let [event] = &broker.events()[..] else { panic!("one was stored") };
    assert_eq!((event.kind, event.id.as_ref()), (EventKind::TaskSent, Some(handle.id())));
    assert_eq!(event.task.as_deref(), Some("plain"));
}
