use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cardoon_core::Message;

use super::{UNREADABLE, level};
use crate::json_text::{put_number, put_string};

/// Where an envelope says that it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<'a> {
    /// Empty for a message that is sent to a queue directly, as Celery does.
    pub exchange: &'a str,
    /// The name of the queue when the exchange is empty.
    pub routing_key: &'a str,
    /// A UUID, by which kombu keeps the message while it is not acknowledged.
    pub delivery_tag: &'a str,
    /// Where a backend that answers by message would answer to; a UUID in Celery, and of no use on Redis.
    pub reply_to: &'a str,
}

/// The envelope of `message`, whose headers are a JSON object.
///
/// The property `expiration` is not written: nothing on Redis reads it, workers go by the header `expires`. What
/// [`read`](super::read) found to be no envelope is written as it was.
pub fn write(message: &Message, route: &Route<'_>) -> Bytes {
    if message.content_type == UNREADABLE {
        return message.body.clone();
    }
    let mut json = Vec::with_capacity(capacity(message, route));
    json.extend_from_slice(b"{\"body\":\"");
    put_base64(&mut json, &message.body);
    json.extend_from_slice(b"\",\"content-encoding\":");
    put_string(&mut json, &message.content_encoding);
    json.extend_from_slice(b",\"content-type\":");
    put_string(&mut json, &message.content_type);
    json.extend_from_slice(b",\"headers\":");
    json.extend_from_slice(if message.headers.is_empty() { b"{}" } else { &message.headers });
    json.extend_from_slice(b",\"properties\":");
    put_properties(&mut json, message, route);
    json.push(b'}');
    json.into()
}

fn put_properties(json: &mut Vec<u8>, message: &Message, route: &Route<'_>) {
    json.extend_from_slice(b"{\"correlation_id\":");
    put_string(json, message.id.as_str());
    json.extend_from_slice(b",\"reply_to\":");
    put_string(json, route.reply_to);
    json.extend_from_slice(b",\"delivery_mode\":2,\"delivery_info\":{\"exchange\":");
    put_string(json, route.exchange);
    json.extend_from_slice(b",\"routing_key\":");
    put_string(json, route.routing_key);
    json.extend_from_slice(b"},\"priority\":");
    put_number(json, level(message.priority));
    json.extend_from_slice(b",\"body_encoding\":\"base64\",\"delivery_tag\":");
    put_string(json, route.delivery_tag);
    json.push(b'}');
}

fn put_base64(json: &mut Vec<u8>, body: &[u8]) {
    let start = json.len();
    json.resize(start + body.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(body, &mut json[start..]);
    debug_assert_eq!(written.ok(), Some(json.len() - start));
}

/// Enough for everything unless a string needs escapes.
fn capacity(message: &Message, route: &Route<'_>) -> usize {
    const FIXED: usize = 256;
    let texts = [
        message.content_type.len(),
        message.content_encoding.len(),
        message.id.as_str().len(),
        route.exchange.len(),
        route.routing_key.len(),
        route.delivery_tag.len(),
        route.reply_to.len(),
    ];
    FIXED + message.headers.len() + message.body.len().div_ceil(3) * 4 + texts.iter().sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use cardoon_core::{Signature, SignatureOptions, TaskId};

    fn message() -> Message {
        let options = SignatureOptions::default();
        let call = Signature { task: "add".into(), args: "[2,3]".into(), kwargs: "{}".into(), options };
        encode(&call, TaskId::new("t-1").unwrap(), "test").unwrap()
    }

    const ROUTE: Route<'_> =
        Route { exchange: "", routing_key: "celery", delivery_tag: "tag", reply_to: "me" };

    #[test]
    fn the_bytes_are_those_of_kombu() {
        let mut message = message();
        message.headers = r#"{"task":"add"}"#.into();
        message.body = "[[],{},{}]".into();
        let expected = concat!(
            r#"{"body":"W1tdLHt9LHt9XQ==","content-encoding":"utf-8","content-type":"application/json","#,
            r#""headers":{"task":"add"},"properties":{"correlation_id":"t-1","reply_to":"me","delivery_mode":2,"#,
            r#""delivery_info":{"exchange":"","routing_key":"celery"},"priority":0,"body_encoding":"base64","#,
            r#""delivery_tag":"tag"}}"#
        );
        assert_eq!(write(&message, &ROUTE), expected);
    }

    #[test]
    fn one_buffer_is_enough() {
        let message = message();
        assert!(write(&message, &ROUTE).len() <= capacity(&message, &ROUTE));
    }
}
