//! Fresh ids.
#![expect(clippy::disallowed_methods, reason = "this is where ids are drawn")]

use cardoon_core::TaskId;

/// A new task id: a UUID of version 7, so that ids sort by the time they were made and stores append them.
pub fn task_id() -> TaskId {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text: &str = uuid::Uuid::now_v7().hyphenated().encode_lower(&mut text);
    TaskId::new(text).expect("a UUID is 36 printable bytes")
}

/// A new name for a thing that must not be mistaken for another: a socket, a folder, a session.
pub fn unique() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}
