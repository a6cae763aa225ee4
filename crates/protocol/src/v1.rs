//! Messages of protocol 1: everything is in the body, an object, and there are no headers.

use bytes::Bytes;
use cardoon_core::{IdError, Message, TaskId, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::content::Content;
use crate::follow_ups::FollowUps;
use crate::headers::Read;
use crate::json_text::{Text, number, string};
use crate::{Limits, wire_time};

/// The members that a worker acts on. Older producers leave some out.
#[derive(Deserialize)]
pub(crate) struct Body<'a> {
    #[serde(borrow)]
    task: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) args: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) kwargs: Option<&'a RawValue>,
    #[serde(borrow)]
    eta: Option<Text<'a>>,
    #[serde(borrow)]
    expires: Option<Text<'a>>,
    timelimit: Option<[Option<f64>; 2]>,
    #[serde(borrow)]
    callbacks: Option<&'a RawValue>,
    #[serde(borrow)]
    errbacks: Option<&'a RawValue>,
    #[serde(borrow)]
    chord: Option<&'a RawValue>,
}

impl<'a> Body<'a> {
    /// What protocol 2 has in the headers.
    pub(crate) fn headers(&self) -> Read {
        let owned = |text: &Option<Text<'_>>| text.as_ref().map(|Text(text)| text.to_string());
        Read {
            task: owned(&self.task),
            eta: owned(&self.eta),
            expires: owned(&self.expires),
            timelimit: self.timelimit,
            root_id: None,
            parent_id: None,
            ignore_result: None,
            compression: None,
            traceparent: None,
            tracestate: None,
            baggage: None,
        }
    }

    pub(crate) fn follow_ups(&self) -> FollowUps<'a> {
        FollowUps { callbacks: self.callbacks, errbacks: self.errbacks, chain: None, chord: self.chord }
    }
}

/// What a broker needs, of any type, because an odd one is no reason not to execute the task.
#[derive(Deserialize)]
struct Summary<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    task: Option<&'a RawValue>,
    #[serde(borrow)]
    retries: Option<&'a RawValue>,
    #[serde(borrow)]
    expires: Option<&'a RawValue>,
}

/// Fills in what a broker needs to know of `message` from its body, if that is one of protocol 1.
pub(crate) fn summarise(message: &mut Message, compression: Option<&str>) -> Result<(), IdError> {
    let Some(body) = json(message, compression).filter(|body| is_body(body)) else { return Ok(()) };
    let Ok(summary) = serde_json::from_slice::<Summary<'_>>(&body) else { return Ok(()) };
    message.attempt = summary.retries.and_then(number).and_then(|number| number.try_into().ok()).unwrap_or(0);
    message.task = summary.task.and_then(string).map(String::from).unwrap_or_default();
    message.expires = summary.expires.and_then(string).and_then(|text| wire_time::read(&text).ok());
    if let Some(id) = summary.id.and_then(string) {
        message.id = TaskId::new(&id)?;
    }
    Ok(())
}

/// The body of the next attempt, as JSON, of a message that was decoded.
pub(crate) fn next_body(
    message: &Message,
    compression: Option<&str>,
    attempt: u32,
    eta: Timestamp,
) -> Option<serde_json::Result<Bytes>> {
    let body = json(message, compression).filter(|body| is_body(body))?;
    Some(crate::retry::with_attempt(&body, attempt, eta))
}

/// Whether JSON text is a body of protocol 1, supposed that the headers name no task.
pub(crate) fn is_body(json: &[u8]) -> bool {
    json.trim_ascii_start().starts_with(b"{")
}

fn json(message: &Message, compression: Option<&str>) -> Option<Bytes> {
    let content = Content::of(&message.content_type, &message.content_encoding).ok()?;
    content.json(&message.body, compression, &Limits::default()).ok()
}
