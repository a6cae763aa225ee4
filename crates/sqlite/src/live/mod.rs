//! The folder `<db>.live` beside the file: who is alive, and whom to wake.
//!
//! It holds `<name>.worker`, a locked file per session ([`Page`]); `<name>.<kinds>.bell`, a socket per process that
//! waits for something ([`Listener`], [`Bells`]); `turn` (see [`crate::turn`]); and `open`, the lock on opening. All
//! of it can be deleted when no process uses the database.

mod bell;
mod bells;
mod folder;
mod listener;
mod owner;
mod page;

pub(crate) use bell::Bell;
pub(crate) use bells::Bells;
pub(crate) use folder::{LiveFolder, WORKER};
pub(crate) use listener::{Heard, Listener, Local};
pub(crate) use page::{Marks, Page, PageReader, Seen};
