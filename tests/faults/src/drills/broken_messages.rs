//! Messages of every broken shape: the worker goes on, and each is in the dead letters with its reason and its bytes.

use std::collections::HashMap;
use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::DeadReason::{BadArguments, Malformed, Refused, TooLarge, UnknownTask};
use cardoon_core::{DeadReason, Message};
use cardoon_errors::Code;
use flate2::Compression;
use flate2::read::ZlibEncoder;
use serde_json::json;

use crate::lab::{PATIENCE, message};
use crate::{Lab, Outcome, Stage, StoreKind, tasks};

/// What a header or a body is changed to, and the reason under which it has to be found.
struct Shape {
    name: &'static str,
    message: Message,
    reason: DeadReason,
}

pub async fn run(stage: Stage<'_>) -> anyhow::Result<Outcome> {
    let lab = Lab::open(stage).await?;
    let mut worker = lab.start(&lab.spec("worker")).await?;
    let shapes = shapes(stage.store)?;
    let mut outcome = Outcome::new("broken messages");
    outcome.figure("shapes", shapes.len());
    let before = lab.send(tasks::WORK, 5, Duration::from_millis(10)).await?;
    let mut stored = Vec::new();
    let mut refused = 0;
    for shape in shapes {
        match lab.publish(vec![shape.message.clone()]).await.remove(0) {
            Ok(_) => stored.push(shape),
            // The store may refuse what is too large for it, as long as it says so.
            Err(error) => {
                let told = shape.reason == TooLarge && error.code() == Code::TooLarge;
                outcome.require(told, format!("{}: {error}", shape.name));
                refused += 1;
            }
        }
    }
    let after = lab.send(tasks::WORK, 5, Duration::from_millis(10)).await?;
    lab.ends(&[before, after].concat(), PATIENCE).await?;
    lab.until_dead(stored.len()).await?;
    outcome.figure("refused when they were sent", refused);
    judge(&lab, &stored, &mut outcome).await?;
    outcome.require(worker.ended().is_none(), format!("the worker ended: {}", worker.stderr()));
    worker.stop(PATIENCE).await?;
    Ok(outcome)
}

async fn judge(lab: &Lab, stored: &[Shape], outcome: &mut Outcome) -> anyhow::Result<()> {
    let dead: HashMap<_, _> =
        lab.dead().await?.into_iter().map(|letter| (letter.message.id.clone(), letter)).collect();
    for Shape { name, message, reason } in stored {
        let Some(letter) = dead.get(&message.id) else {
            outcome.require(false, format!("{name}: not in the dead letters"));
            continue;
        };
        outcome.require(letter.reason == *reason, format!("{name}: {}: {}", letter.reason, letter.detail));
        outcome.require(!letter.detail.is_empty(), format!("{name}: the reason is not told"));
        let same = letter.message.body == message.body && letter.message.headers == message.headers;
        outcome.require(same, format!("{name}: the bytes were changed"));
    }
    outcome.expect("in the dead letters", dead.len(), stored.len());
    Ok(())
}

fn shapes(store: StoreKind) -> anyhow::Result<Vec<Shape>> {
    let mut shapes = Vec::new();
    for (name, body, reason) in bodies() {
        shapes.push(Shape { name, message: Message { body, ..sound()? }, reason });
    }
    for (name, header, value) in headers() {
        shapes.push(Shape { name, message: with_header(header, value)?, reason: Malformed });
    }
    for &(name, headers) in headers_of_no_shape(store) {
        let message = Message { headers: Bytes::from_static(headers.as_bytes()), ..sound()? };
        shapes.push(Shape { name, message, reason: Malformed });
    }
    shapes.extend(contents()?);
    let unknown = message("drill.nobody_knows_me", Duration::ZERO)?;
    shapes.push(Shape { name: "unknown task", message: unknown, reason: UnknownTask });
    Ok(shapes)
}

/// On Redis they stand in the envelope, which then is none, or has headers; `redis::envelopes` has more of these.
fn headers_of_no_shape(store: StoreKind) -> &'static [(&'static str, &'static str)] {
    match store {
        StoreKind::Sqlite => {
            &[("no headers", ""), ("headers not JSON", "{\"task\":"), ("headers a list", "[]")]
        }
        StoreKind::Redis => &[],
    }
}

fn bodies() -> Vec<(&'static str, Bytes, DeadReason)> {
    let text = |text: &'static str| Bytes::from_static(text.as_bytes());
    let deep = format!("[[{}{}],{{}},{{}}]", "[".repeat(100_000), "]".repeat(100_000));
    vec![
        ("empty", text(""), Malformed),
        ("not JSON", text("no json at all"), Malformed),
        ("cut off", text("[[0.1],{},{\"callbacks\":"), Malformed),
        ("bytes after the end", text("[[0.1],{},{}] and more"), Malformed),
        ("not UTF-8", Bytes::from_static(b"[[\"\xff\xfe\"],{},{}]"), Malformed),
        ("zero bytes", Bytes::from_static(&[0; 64]), Malformed),
        ("null", text("null"), Malformed),
        ("a number", text("42"), Malformed),
        ("an object", text("{\"args\":[0.1]}"), Malformed),
        ("two parts", text("[[0.1],{}]"), Malformed),
        ("four parts", text("[[0.1],{},{},{}]"), Malformed),
        ("arguments an object", text("[{},{},{}]"), Malformed),
        ("keywords a list", text("[[0.1],[],{}]"), Malformed),
        ("nested 100,000 deep", deep.into(), Malformed),
        ("no argument", text("[[],{},{}]"), BadArguments),
        ("too many arguments", text("[[0.1,2,3],{},{}]"), BadArguments),
        ("wrong type", text("[[\"soon\"],{},{}]"), BadArguments),
        ("null for a number", text("[[null],{},{}]"), BadArguments),
        ("unknown keyword", text("[[0.1],{\"colour\":\"red\"},{}]"), BadArguments),
        ("given twice", text("[[0.1],{\"seconds\":0.1},{}]"), BadArguments),
        ("100 MB", large_body(100_000_000), TooLarge),
        ("just over the limit", large_body(17_000_000), TooLarge),
    ]
}

fn headers() -> Vec<(&'static str, &'static str, serde_json::Value)> {
    vec![
        ("task a number", "task", json!(7)),
        ("task empty", "task", json!("")),
        ("task missing", "task", json!(null)),
        ("eta no time", "eta", json!("tomorrow")),
        ("eta a list", "eta", json!([1])),
        ("expires no time", "expires", json!("never")),
        ("time limits a word", "timelimit", json!("long")),
        ("time limits negative", "timelimit", json!([-1, -1])),
        ("parent a number", "parent_id", json!(5)),
    ]
}

fn contents() -> anyhow::Result<Vec<Shape>> {
    let pickle = Message { content_type: "application/x-python-serialize".into(), ..sound()? };
    let unknown = Message { content_type: "application/x-unheard-of".into(), ..sound()? };
    let encoding = Message { content_encoding: "utf-99".into(), ..sound()? };
    let method = with_header("compression", json!("application/x-unheard-of"))?;
    let damaged = with_header("compression", json!("application/x-gzip"))?;
    let bomb = Message { body: bomb()?, ..with_header("compression", json!("application/x-gzip"))? };
    let shape = |name, message, reason| Shape { name, message, reason };
    Ok(vec![
        shape("pickle", pickle, Refused),
        shape("unknown content type", unknown, Refused),
        shape("unknown encoding", encoding, Refused),
        shape("unknown compression", method, Refused),
        shape("damaged compression", damaged, Malformed),
        shape("decompression bomb", bomb, TooLarge),
    ])
}

fn sound() -> anyhow::Result<Message> {
    message(tasks::WORK, Duration::from_millis(1))
}

fn with_header(name: &str, value: serde_json::Value) -> anyhow::Result<Message> {
    let message = sound()?;
    let mut headers: serde_json::Value = serde_json::from_slice(&message.headers)?;
    headers[name] = value;
    Ok(Message { headers: serde_json::to_vec(&headers)?.into(), ..message })
}

fn large_body(bytes: usize) -> Bytes {
    format!("[[0.001],{{\"padding\":\"{}\"}},{{}}]", "x".repeat(bytes)).into()
}

/// 1 GB of spaces in 1 MB.
fn bomb() -> anyhow::Result<Bytes> {
    let mut packed = Vec::new();
    ZlibEncoder::new(std::io::repeat(b' ').take(1 << 30), Compression::fast()).read_to_end(&mut packed)?;
    Ok(packed.into())
}
