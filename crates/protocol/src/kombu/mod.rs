//! kombu's envelope: what its Redis transport pushes onto a list, one JSON object for each message.
//!
//! ```text
//! {"body": base64, "content-encoding", "content-type", "headers": {..},
//!  "properties": {"correlation_id", "reply_to", "delivery_mode", "delivery_info": {"exchange", "routing_key"},
//!                 "priority", "body_encoding": "base64", "delivery_tag"}}
//! ```
//!
//! Headers are carried as they are in both directions, so what we do not know of is not lost.

mod keys;
mod read;
mod write;

pub use keys::{Binding, PRIORITY_STEPS, SEPARATOR, binding, level, list_key, priority};
pub use read::read;
pub use write::{Route, write};

pub(crate) use read::{UNREADABLE, problem};
