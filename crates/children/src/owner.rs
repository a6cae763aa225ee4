//! Who gives calls to a pool, and hears how they end.

use std::sync::Arc;

use bytes::Bytes;
use cardoon_core::{QueueName, TaskId, TraceContext};

use crate::call::How;
use crate::frame::Tag;

/// Hears what becomes of calls. Its methods are called on the pool's thread and must not block, but for
/// [`Self::print`], which has a thread of its own.
pub trait Owner: Send + Sync + 'static {
    /// User code of the call may begin from now on. Told of calls that want [`Care`](crate::dispatch::Care), while the pool
    /// is locked: it must not be called from here.
    fn may_begin(&self, tag: Tag);

    /// User code of the call has begun, at this time of the boot-time clock in milliseconds. Told of calls that asked for
    /// it, and of those that run long.
    fn began(&self, tag: Tag, at: u64);

    /// The call has ended. Told once.
    fn ended(&self, tag: Tag, ending: Ending);

    /// The call says how far it is: a JSON document.
    fn state(&self, tag: Tag, document: Bytes);

    /// What a line is marked with that the call prints: nothing if the call is not known any more.
    fn label(&self, tag: Tag) -> Option<Label>;

    /// A line that a child printed.
    fn print(&self, printed: &Printed);

    /// No child can be made any more: the calls that are still here will not end.
    fn failed(&self, error: cardoon_errors::Error);
}

/// The call that prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub id: TaskId,
    pub task: Arc<str>,
    pub queue: QueueName,
    pub attempt: u32,
    pub trace: Option<Arc<TraceContext>>,
}

/// A line of a child's output.
#[derive(Debug)]
pub struct Printed {
    pub pid: u32,
    pub label: Option<Label>,
    pub line: String,
}

/// How a call ended.
#[derive(Debug)]
pub enum Ending {
    /// Its child told it.
    Told { micros: u64, how: How<String, Bytes> },
    /// User code has not begun and will not.
    Unstarted,
    /// Its child died; how, in words.
    Died(String),
    /// Its child was killed to end it.
    Killed,
}
