//! What requests and answers look like. Unknown fields are errors, so that a slip of the pen does not lose a wish.

mod answers;
mod headers;
mod read;
mod requests;
mod words;

pub(crate) use answers::{
    BatchAnswer, Counted, Given, Page, QueueAnswer, Revoked, RevokedTask, Sent, SentItem, Told, WhyAnswer,
    WorkerAnswer,
};
pub(crate) use read::{Json, Name, OptionalJson, Params, Reader};
pub(crate) use requests::{
    BatchRequest, DeadQuery, DryRun, EditRequest, EventQuery, LetterChoice, LimitQuery, ListQuery, NoQuery,
    RevokeRequest, SendRequest, WaitQuery, queue_of,
};
pub(crate) use words::{bad_request, limit};
