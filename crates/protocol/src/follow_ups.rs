//! What a message asks to be sent after its task.

use cardoon_core::DeadReason;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Undecodable;

/// The third part of a body of protocol 2.
#[derive(Deserialize)]
pub(crate) struct FollowUps<'a> {
    #[serde(borrow)]
    pub(crate) callbacks: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) errbacks: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) chain: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) chord: Option<&'a RawValue>,
}

impl FollowUps<'_> {
    /// Refuses a message that asks for any, rather than executing it in part.
    pub(crate) fn check(&self) -> Result<(), Undecodable> {
        let parts = [
            ("callbacks", self.callbacks),
            ("errbacks", self.errbacks),
            ("chain", self.chain),
            ("chord", self.chord),
        ];
        let is_asked =
            |value: Option<&RawValue>| value.is_some_and(|value| !matches!(value.get(), "[]" | "null"));
        let Some((name, _)) = parts.into_iter().find(|(_, value)| is_asked(*value)) else { return Ok(()) };
        let detail = format!("body: it asks for follow-ups ({name}), which are not sent yet");
        Err(Undecodable::new(DeadReason::Refused, detail))
    }
}
