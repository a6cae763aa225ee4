//! What a zygote says when it has imported the application.

use serde::Deserialize;
use serde_json::Value;

/// The application as its zygote found it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Greeting {
    pub version: u32,
    pub pid: u32,
    /// Threads of the zygote. With more than one it cannot be forked safely.
    pub threads: usize,
    /// The interpreter, for people.
    pub language: String,
    /// In the order by which calls name them.
    pub tasks: Vec<TaskSpec>,
    /// What the application says of itself: its name, its stores, its schedule.
    pub app: Value,
}

/// A task and its options. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TaskSpec {
    pub name: String,
    #[serde(default)]
    pub queue: Option<String>,
    #[serde(default)]
    pub priority: Option<u8>,
    #[serde(default)]
    pub soft_time_limit: Option<f64>,
    #[serde(default)]
    pub time_limit: Option<f64>,
    #[serde(default)]
    pub ignore_result: bool,
    /// Acknowledge before user code runs.
    #[serde(default)]
    pub early: bool,
}

/// What a zygote says, as JSON.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    Greeting(Box<Greeting>),
    /// The application cannot be imported.
    Failed(ImportFailure),
    /// A child was made; its process id, and beside it [`HANDLES`] file descriptors.
    Made(u32),
}

/// Why the application cannot be imported. The zygote has written the traceback to standard error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ImportFailure {
    /// In one line.
    pub message: String,
    /// What was looked at.
    #[serde(default)]
    pub checked: Vec<String>,
    /// What to do.
    #[serde(default)]
    pub hint: Option<String>,
}

/// The socket, the output, the note and the process handle of a child come with the word that it was made.
pub(crate) const HANDLES: usize = 4;
