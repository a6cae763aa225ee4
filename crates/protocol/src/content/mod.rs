//! Bodies as JSON text, whatever they were serialised with.
//!
//! Values are not built on the way: msgpack and YAML are turned into JSON event by event, and what is too large or
//! too deep stops them where it happens. Types that JSON lacks become kombu's extension objects.

mod extension;
mod msgpack;
mod writer;
mod yaml;

use bytes::Bytes;
use cardoon_core::DeadReason;

use crate::{JSON, Limits, MSGPACK, Undecodable, YAML, compression, nesting};

const PICKLE: &str = "application/x-python-serialize";

/// How a body is serialised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Json,
    Msgpack,
    Yaml,
}

impl Content {
    /// The content that a message names by its type and its encoding.
    pub(crate) fn of(content_type: &str, encoding: &str) -> Result<Self, Undecodable> {
        let known = [(JSON, Self::Json), (MSGPACK, Self::Msgpack), (YAML, Self::Yaml)];
        let found = known.iter().find(|(name, _)| content_type.eq_ignore_ascii_case(name));
        let (_, content) = found.ok_or_else(|| refused(content_type))?;
        let encodings = ["utf-8", "utf8", "us-ascii", "ascii", "binary"];
        if !encodings.iter().any(|known| encoding.eq_ignore_ascii_case(known)) {
            let detail = format!("content encoding {encoding:?} is not accepted, only utf-8 is");
            return Err(Undecodable::new(DeadReason::Refused, detail));
        }
        Ok(*content)
    }

    /// The JSON text of `body`, which is compressed if there is a `method`. It keeps the limits. If it was JSON
    /// already it is shared, and may still turn out to be invalid.
    pub(crate) fn json(
        self,
        body: &Bytes,
        method: Option<&str>,
        limits: &Limits,
    ) -> Result<Bytes, Undecodable> {
        let body = match method {
            None => body.clone(),
            Some(method) => compression::unpack(method, body, limits.max_bytes)?,
        };
        match self {
            Self::Json => check_json(&body, limits).map(|()| body),
            Self::Msgpack => msgpack::to_json(&body, limits),
            Self::Yaml => yaml::to_json(&body, limits),
        }
    }
}

fn refused(content_type: &str) -> Undecodable {
    let detail = if content_type.eq_ignore_ascii_case(PICKLE) {
        format!(
            "content type {PICKLE:?} (pickle) is not in `accept_content`: reading it executes whatever code it \
             names; JSON, msgpack and YAML are accepted"
        )
    } else {
        format!("content type {content_type:?} is not accepted, only {JSON}, {MSGPACK} and {YAML} are")
    };
    Undecodable::new(DeadReason::Refused, detail)
}

/// What is skipped later is not looked at any more, so that all of it is text is checked here.
fn check_json(json: &[u8], limits: &Limits) -> Result<(), Undecodable> {
    std::str::from_utf8(json).map_err(malformed)?;
    if nesting::depth(json) > limits.max_depth { Err(too_deep(limits)) } else { Ok(()) }
}

fn too_deep(limits: &Limits) -> Undecodable {
    malformed(format!("nested deeper than {}", limits.max_depth))
}

fn malformed(detail: impl std::fmt::Display) -> Undecodable {
    Undecodable::new(DeadReason::Malformed, format!("body: {detail}"))
}
