use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// What stands behind the key of a secret where its file is named.
pub(crate) const FILE_KEY: &str = "_file";
const FILE_VARIABLE: &str = "_FILE";

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
    /// Its value is a secret: it may stand in a file of its own, which `NAME_file` or `VARIABLE_FILE` names.
    pub secret: bool,
}

impl Definition {
    /// The environment variable that sets it, in its shortest form.
    pub fn variable(&self) -> String {
        self.short_variable().map_or_else(|| self.long_variable(), str::to_owned)
    }

    /// All names by which `cardoon.toml` knows it.
    pub(crate) fn keys(&self) -> Vec<String> {
        let name = self.name.to_owned();
        if self.secret { vec![format!("{name}{FILE_KEY}"), name] } else { vec![name] }
    }

    /// Its variable, and that of its file.
    pub(crate) fn variables(&self) -> Vec<String> {
        let name = self.variable();
        if self.secret { vec![format!("{name}{FILE_VARIABLE}"), name] } else { vec![name] }
    }

    pub(crate) fn is_set_by(&self, variable: &str) -> bool {
        self.short_variable() == Some(variable) || self.long_variable() == variable
    }

    pub(crate) fn names_its_file(&self, variable: &str) -> bool {
        self.secret && variable.strip_suffix(FILE_VARIABLE).is_some_and(|variable| self.is_set_by(variable))
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
    /// A file of its own, which holds this secret alone, and who names that file.
    SecretFile(PathBuf, Box<Self>),
    Default,
}

impl Origin {
    /// Of two origins the larger one wins.
    pub(crate) fn strength(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File(_) => 1,
            Self::Environment(_) => 2,
            Self::Flag(_) => 3,
            Self::SecretFile(_, named_by) => named_by.strength(),
        }
    }

    /// The folder of the `cardoon.toml` that says it.
    pub(crate) fn settings_folder(&self) -> Option<&Path> {
        match self {
            Self::File(path) => path.parent(),
            Self::SecretFile(_, named_by) => named_by.settings_folder(),
            Self::Default | Self::Environment(_) | Self::Flag(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(option) => write!(f, "flag {option}"),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::SecretFile(path, named_by) => write!(f, "file {}, named by {named_by}", path.display()),
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
