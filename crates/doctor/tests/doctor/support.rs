use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use cardoon_broker::{ConsumeSpec, Consumer, Publish};
use cardoon_connect::Stores;
use cardoon_core::lease::LeaseTerms;
use cardoon_core::{Message, Priority, QueueName, TaskId, Timestamp};
use cardoon_doctor::{Patient, Surroundings, examine};
use cardoon_errors::{Code, Finding, Severity};
use cardoon_runtime::Clock;
use cardoon_testkit::{AppendOnly, RedisOptions, RedisServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that keeps what it takes.
pub(crate) fn lasting() -> RedisOptions {
    RedisOptions::default().append_only(AppendOnly::EverySecond)
}

pub(crate) async fn server() -> RedisServer {
    RedisServer::start_with(lasting()).await.unwrap()
}

/// A port where nothing listens, and where a server has just been.
pub(crate) async fn dead_port() -> u16 {
    let mut server = RedisServer::start().await.unwrap();
    server.kill().unwrap();
    server.port()
}

/// What the doctor finds at this URL on a machine of which nothing is known.
pub(crate) async fn findings(url: &str) -> Vec<Finding> {
    findings_in(url, &Surroundings::default(), &Clock::real()).await
}

pub(crate) async fn findings_in(url: &str, surroundings: &Surroundings, clock: &Clock) -> Vec<Finding> {
    let patient = Patient {
        broker: url.to_owned(),
        results: None,
        surroundings: surroundings.clone(),
        clock: clock.clone(),
    };
    let mut findings = Vec::new();
    examine(&patient, &mut |finding| findings.push(finding)).await;
    for finding in &findings {
        assert!(!format!("{finding:?}").contains("s3cret"), "{finding:?}");
    }
    findings
}

/// A machine on which Redis servers listen on these ports.
pub(crate) fn with_servers(ports: &[u16]) -> Surroundings {
    let mut surroundings = Surroundings::default();
    surroundings.redis.redis_ports = ports.to_vec();
    surroundings
}

/// The bad findings: check, code and severity.
pub(crate) fn bad(findings: &[Finding]) -> Vec<(&'static str, Code, Severity)> {
    let bad = |finding: &Finding| Some((finding.check(), finding.trouble()?.code(), finding.severity()));
    findings.iter().filter_map(bad).collect()
}

/// The only error, with what was checked and the next command.
#[track_caller]
pub(crate) fn the_error(findings: &[Finding]) -> (&'static str, Code, String) {
    let errors: Vec<&Finding> =
        findings.iter().filter(|finding| finding.severity() == Severity::Error).collect();
    let [finding] = errors[..] else { panic!("not one error: {findings:#?}") };
    let error = finding.trouble().unwrap();
    assert!(error.next_step().is_some(), "{error:?}");
    (finding.check(), error.code(), format!("{error:?}"))
}

/// What the finding of this check says.
#[track_caller]
pub(crate) fn of<'f>(findings: &'f [Finding], check: &str) -> &'f Finding {
    findings
        .iter()
        .find(|finding| finding.check() == check)
        .unwrap_or_else(|| panic!("{check}: {findings:#?}"))
}

pub(crate) async fn stores(url: &str) -> Stores {
    cardoon_connect::connect(url, None, &Clock::real()).await.unwrap()
}

pub(crate) fn queue(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

pub(crate) async fn send(stores: &Stores, id: &str, not_before: Option<Timestamp>) {
    send_to(stores, "mail", id, not_before).await;
}

pub(crate) async fn send_to(stores: &Stores, name: &str, id: &str, not_before: Option<Timestamp>) {
    let message = Message {
        id: TaskId::new(id).unwrap(),
        attempt: 0,
        task: "mail.send".into(),
        priority: Priority::HIGHEST,
        expires: None,
        content_type: Cow::Borrowed("application/json"),
        content_encoding: Cow::Borrowed("utf-8"),
        headers: format!(r#"{{"task":"mail.send","id":"{id}","retries":0}}"#).into(),
        body: Bytes::from_static(b"[[],{},{}]"),
    };
    let publish = Publish { queue: queue(name), message, not_before, resent: false };
    stores.broker.publish(vec![publish]).await.pop().unwrap().unwrap();
}

/// A worker that takes nothing by itself.
pub(crate) async fn join(stores: &Stores, tasks: &[&str]) -> Arc<dyn Consumer> {
    join_queues(stores, &["mail".to_owned()], tasks).await
}

pub(crate) async fn join_queues(stores: &Stores, queues: &[String], tasks: &[&str]) -> Arc<dyn Consumer> {
    let spec = ConsumeSpec {
        worker: "one".into(),
        queues: queues.iter().map(|name| queue(name)).collect(),
        tasks: tasks.iter().map(ToString::to_string).collect(),
        slots: 1,
        terms: LeaseTerms::default(),
    };
    stores.broker.consume(spec).await.unwrap()
}

/// A program that is no Redis server and answers everybody with the same words, for as long as the test's runtime lives.
#[expect(clippy::disallowed_methods, reason = "it ends with the runtime of its test")]
pub(crate) async fn other_service(words: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0; 64];
            let _ = stream.read(&mut heard).await;
            let _ = stream.write_all(words.as_bytes()).await;
        }
    });
    port
}
