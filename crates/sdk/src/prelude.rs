//! What most programs that use Cardoon name: `use cardoon::prelude::*`.

pub use crate::{App, ErrorExt, State, Task, TaskContext, TaskError, TaskHandle, TypedSignature, Worker};
