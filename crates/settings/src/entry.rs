use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// A setting as the table declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// `section.key`
    pub name: &'static str,
    /// The default, as a user would write it.
    pub default: &'static str,
    /// What it is for, in a sentence or two.
    pub description: &'static str,
    /// What its values look like.
    pub forms: &'static str,
}

impl Definition {
    /// The environment variable that sets it, in its shortest form.
    pub fn variable(&self) -> String {
        self.short_variable().map_or_else(|| self.long_variable(), str::to_owned)
    }

    pub(crate) fn is_set_by(&self, variable: &str) -> bool {
        self.short_variable() == Some(variable) || self.long_variable() == variable
    }

    fn short_variable(&self) -> Option<&'static str> {
        match self.name {
            "broker.url" => Some("CARDOON_BROKER"),
            "results.url" => Some("CARDOON_RESULTS"),
            _ => None,
        }
    }

    fn long_variable(&self) -> String {
        format!("CARDOON_{}", self.name.replace('.', "__").to_uppercase())
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line; the option as it is spelled there.
    Flag(String),
    /// The environment; the variable's name.
    Environment(String),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(option) => write!(f, "flag {option}"),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A setting with its value, for people: passwords are shown as `***`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    #[serde(rename = "setting")]
    pub name: &'static str,
    pub value: String,
    pub origin: Origin,
    pub default: &'static str,
    pub description: &'static str,
}
