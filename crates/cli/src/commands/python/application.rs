//! What a Python application says of itself.

use std::path::PathBuf;

use cardoon_errors::{Code, Error, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::commands::beat;

/// The part of a greeting that this command reads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(in crate::commands) struct Application {
    pub(in crate::commands) name: String,
    #[serde(default)]
    pub(super) broker: Option<String>,
    #[serde(default)]
    pub(super) backend: Option<String>,
    #[serde(default)]
    pub(in crate::commands) queue: Option<String>,
    /// Those that its workers take from, if it says so.
    #[serde(default)]
    pub(super) queues: Vec<String>,
    #[serde(default)]
    pub(super) pool: Option<String>,
    #[serde(default)]
    pub(super) concurrency: Option<u32>,
    #[serde(default)]
    pub(super) max_tasks_per_child: Option<u64>,
    /// In KiB.
    #[serde(default)]
    pub(super) max_memory_per_child: Option<u64>,
    #[serde(default)]
    pub(in crate::commands) schedule: beat::Said,
}

impl Application {
    pub(in crate::commands) fn read(said: &Value) -> Result<Self> {
        serde_json::from_value(said.clone()).map_err(|error| {
            Error::new(Code::Internal, "the package and this program do not understand each other")
                .source(error)
        })
    }
}

/// The interpreter: the one that is named, that of the virtual environment, or the first one on the path.
pub(in crate::commands) fn interpreter(named: Option<&std::ffi::OsStr>) -> PathBuf {
    let of_environment = || Some(PathBuf::from(std::env::var_os("VIRTUAL_ENV")?).join("bin/python"));
    named.map(PathBuf::from).or_else(of_environment).unwrap_or_else(|| "python3".into())
}
