//! kombu's extension objects: `{"__type__": .., "__value__": ..}`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::writer::Writer;
use crate::Undecodable;

/// Bytes, as text when they are text, as kombu does it.
pub(super) fn put_bytes(json: &mut Writer, bytes: &[u8]) -> Result<(), Undecodable> {
    match std::str::from_utf8(bytes) {
        Ok(text) => put(json, "bytes", text),
        Err(_) => put(json, "base64", &STANDARD.encode(bytes)),
    }
}

/// An object of `kind` whose value is a text.
pub(super) fn put(json: &mut Writer, kind: &str, value: &str) -> Result<(), Undecodable> {
    json.begin_object()?;
    json.name("__type__")?;
    json.string(kind)?;
    json.name("__value__")?;
    json.string(value)?;
    json.end();
    Ok(())
}
