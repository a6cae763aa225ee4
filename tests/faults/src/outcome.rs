use std::fmt;

use anyhow::bail;
use serde::{Deserialize, Serialize};

/// What a drill found: its figures, and what contradicts the promise.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub drill: String,
    pub figures: Vec<(String, String)>,
    pub broken: Vec<String>,
}

impl Outcome {
    pub fn new(drill: impl Into<String>) -> Self {
        Self { drill: drill.into(), ..Self::default() }
    }

    pub fn figure(&mut self, name: &str, value: impl fmt::Display + Copy) {
        self.figures.push((name.to_owned(), value.to_string()));
    }

    /// Notes a figure that has to be `wanted`.
    pub fn expect<T: PartialEq + fmt::Display + Copy>(&mut self, name: &str, found: T, wanted: T) {
        if found != wanted {
            self.broken.push(format!("{name}: {found}, expected {wanted}"));
        }
        self.figure(name, found);
    }

    /// Notes a figure that may be at most `limit`.
    pub fn at_most<T: PartialOrd + fmt::Display + Copy>(&mut self, name: &str, found: T, limit: T) {
        if found > limit {
            self.broken.push(format!("{name}: {found}, at most {limit} is promised"));
        }
        self.figure(name, found);
    }

    /// Notes something that has to hold.
    pub fn require(&mut self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.broken.push(otherwise.into());
        }
    }

    /// An error that lists everything that was broken.
    pub fn verdict(&self) -> anyhow::Result<()> {
        if self.broken.is_empty() {
            return Ok(());
        }
        bail!("{self}\n  {}", self.broken.join("\n  "));
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures: Vec<_> = self.figures.iter().map(|(name, value)| format!("{name} {value}")).collect();
        write!(f, "{}: {}", self.drill, figures.join(", "))
    }
}
