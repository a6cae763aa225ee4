//! What `#[cardoon::task]` makes of a function.

use std::time::Duration;

use cardoon::prelude::*;
use cardoon::{AckMode, Isolation, Priority, RetryOn, TaskOptions, testing};
use serde_json::json;

#[cardoon::task]
async fn add(x: i64, y: i64) -> i64 {
    x + y
}

#[cardoon::task]
fn join(mut words: Vec<String>, separator: Option<String>) -> String {
    words.retain(|word| !word.is_empty());
    words.join(separator.as_deref().unwrap_or(" "))
}

#[cardoon::task(
    name = "mail.send",
    queue = "mail",
    priority = 9,
    expires = "1h",
    retries = 5,
    retry_on = ["io::Error"],
    retry_delay = "5s",
    retry_cap = "1m",
    retry_jitter = false,
    soft_time_limit = "30s",
    time_limit = "60s",
    ack = "early",
    isolate = "process",
    ignore_result
)]
fn send_mail() {}

#[derive(Debug, PartialEq)]
struct Greeting(&'static str);

#[cardoon::task]
async fn greet(
    ctx: TaskContext,
    State(greeting): State<Greeting>,
    name: String,
    again: &TaskContext,
) -> String {
    assert_eq!(ctx.id(), again.id());
    format!("{}, {name}, on attempt {}", greeting.0, ctx.attempt())
}

#[cardoon::task(name = "type")]
fn r#type(r#in: u8) -> u8 {
    r#in
}

#[cardoon::task]
async fn bound(writer: u8, outcome: u8) -> u8 {
    writer + outcome
}

#[cardoon::task]
fn context(arguments: u8) -> Result<u8, TaskError> {
    arguments.checked_add(1).ok_or_else(|| TaskError::fatal("Overflow", "it is too large"))
}

#[cardoon::task]
async fn anyhow_error(text: String) -> anyhow::Result<i64> {
    use anyhow::Context;
    text.parse::<i64>().with_context(|| format!("cannot read {text}"))
}

#[cardoon::task]
async fn io_error() -> std::io::Result<()> {
    Err(std::io::Error::other("the disk is on fire"))
}

#[cardoon::task]
async fn text_error() -> Result<(), String> {
    Err("in words".into())
}

#[test]
fn the_function_can_still_be_called() {
    assert_eq!(join(vec!["a".into(), String::new(), "b".into()], None), "a b");
}

#[test]
fn names_and_parameters_come_from_the_function() {
    assert_eq!((add::NAME, add::PARAMETERS), ("add", &["x", "y"][..]));
    assert_eq!((send_mail::NAME, send_mail::PARAMETERS), ("mail.send", &[][..]));
    assert_eq!(greet::PARAMETERS, ["name"], "context and state are no arguments");
    assert_eq!((r#type::NAME, r#type::PARAMETERS), ("type", &["in"][..]));
}

#[test]
fn options_are_those_of_the_attribute() {
    let TaskOptions {
        queue,
        priority,
        retry,
        soft_time_limit,
        time_limit,
        expires,
        ack,
        isolate,
        ignore_result,
    } = send_mail::options();
    assert_eq!(queue.unwrap().as_str(), "mail");
    assert_eq!(priority, Some(Priority::HIGHEST));
    assert_eq!((retry.max_retries, retry.jitter), (5, false));
    assert_eq!((retry.base, retry.cap), (Duration::from_secs(5), Duration::from_mins(1)));
    assert_eq!(retry.retry_on, RetryOn::Only(vec!["io::Error".into()]));
    assert_eq!((soft_time_limit, time_limit), (Some(Duration::from_secs(30)), Some(Duration::from_mins(1))));
    assert_eq!(expires, Some(Duration::from_hours(1)));
    assert_eq!((ack, isolate, ignore_result), (AckMode::Early, Isolation::Process, true));
    assert_eq!(add::options(), TaskOptions::default());
}

#[tokio::test]
async fn arguments_may_come_by_position_or_by_name() {
    let app = testing::inline().task::<join>().build();
    let call = || TypedSignature::<String>::named("join");
    let by_name = call().kwargs(json!({"separator": "-", "words": ["a", "b"]}));
    let mixed = call().args((["a", "b"],)).kwargs(json!({"separator": "+"}));
    let short = call().args((["a", "b"],));
    assert_eq!(testing::perform(&app, by_name).await, Ok("a-b".into()));
    assert_eq!(testing::perform(&app, mixed).await, Ok("a+b".into()));
    assert_eq!(testing::perform(&app, short).await, Ok("a b".into()));
}

#[tokio::test]
async fn tasks_and_arguments_may_have_any_name() {
    let app = App::inline();
    assert_eq!(testing::perform(&app, bound::signature(1, 2)).await, Ok(3));
    assert_eq!(testing::perform(&app, context::signature(4)).await, Ok(5));
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_told_apart_from_failures() {
    let app = testing::inline().task::<add>().build();
    let call = || TypedSignature::<i64>::named("add");
    for (wrong, said) in [
        (call().args((1,)), "`y` is missing"),
        (call().args((1, 2, 3)), "3"),
        (call().args((1, "two")), "`y`"),
        (call().args((1, 2)).kwargs(json!({"x": 5})), "`x`"),
        (call().args((1, 2)).kwargs(json!({"z": 5})), "`z`"),
    ] {
        let error = testing::perform(&app, wrong).await.unwrap_err();
        assert!(error.is_bad_arguments(), "{error}");
        assert!(error.failure.message.contains(said), "{error}");
    }
}

#[tokio::test]
async fn context_and_state_are_handed_in() {
    let app = testing::inline().state(Greeting("hello")).build();
    let greeting = testing::perform(&app, greet::signature("Ann".into())).await;
    assert_eq!(greeting, Ok("hello, Ann, on attempt 0".into()));
}

#[tokio::test]
async fn every_usual_error_becomes_a_failure_with_its_kind() {
    let app = App::inline();
    let failure = testing::perform(&app, io_error::signature()).await.unwrap_err().failure;
    assert_eq!((failure.kind.as_str(), failure.message.as_str()), ("std::io::Error", "the disk is on fire"));
    let failure = testing::perform(&app, anyhow_error::signature("x".into())).await.unwrap_err().failure;
    assert_eq!((failure.kind.as_str(), failure.message.as_str()), ("anyhow::Error", "cannot read x"));
    assert_eq!(failure.details, "invalid digit found in string");
    let failure = testing::perform(&app, text_error::signature()).await.unwrap_err().failure;
    assert_eq!((failure.kind.as_str(), failure.message.as_str()), ("Error", "in words"));
}
