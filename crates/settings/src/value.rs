//! The types that a setting's value can have: how each is read and shown.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::secret::Password;
use crate::units::{self, ByteSize, DURATION_FORMS, SIZE_FORMS};
use crate::url::StoreUrl;

/// When a worker acknowledges a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack {
    /// After it has ended: executed at least once.
    Late,
    /// Before it begins: executed at most once.
    Early,
}

/// The least urgent lines that are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The form of the log's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// A type of values.
pub(crate) trait Value: Sized {
    /// What its values look like, for those who wrote something else.
    const FORMS: &'static str;

    /// Whether its values are not to be seen.
    const SECRET: bool = false;

    fn read(text: &str) -> Option<Self>;

    /// For people: without passwords, and such that `read` understands it.
    fn show(&self) -> String;
}

impl Value for String {
    const FORMS: &'static str = "any text";

    fn read(text: &str) -> Option<Self> {
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Value for StoreUrl {
    const FORMS: &'static str = "a URL such as \"sqlite:tasks.db\"";
    const SECRET: bool = true;

    fn read(text: &str) -> Option<Self> {
        String::read(text).map(Self::new)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for Password {
    const FORMS: &'static str = "any text that is not empty";
    const SECRET: bool = true;

    fn read(text: &str) -> Option<Self> {
        Self::new(text)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for bool {
    const FORMS: &'static str = "true or false";

    fn read(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for u32 {
    const FORMS: &'static str = "a whole number from 0 on";

    fn read(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for std::num::NonZeroU32 {
    const FORMS: &'static str = "a whole number from 1 on";

    fn read(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for SocketAddr {
    const FORMS: &'static str = "an address and a port such as \"127.0.0.1:8765\"";

    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.strip_prefix("localhost:") {
            Some(port) => port.parse().ok().map(|port| (Ipv4Addr::LOCALHOST, port).into()),
            None => text.parse().ok(),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for Duration {
    const FORMS: &'static str = DURATION_FORMS;

    fn read(text: &str) -> Option<Self> {
        units::parse_duration(text).ok()
    }

    fn show(&self) -> String {
        units::show_duration(*self)
    }
}

impl Value for ByteSize {
    const FORMS: &'static str = SIZE_FORMS;

    fn read(text: &str) -> Option<Self> {
        units::parse_byte_size(text).ok()
    }

    fn show(&self) -> String {
        units::show_byte_size(*self)
    }
}

impl Value for Vec<String> {
    const FORMS: &'static str = "a list: [\"mail\", \"low\"] in the file, mail,low elsewhere";

    fn read(text: &str) -> Option<Self> {
        let items: Vec<_> = text.split(',').map(str::trim).map(str::to_owned).collect();
        Some(items).filter(|items| items.iter().all(|item| !item.is_empty()))
    }

    fn show(&self) -> String {
        self.join(",")
    }
}

impl Value for Ack {
    const FORMS: &'static str = "\"late\" or \"early\"";

    fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "late" => Some(Self::Late),
            "early" => Some(Self::Early),
            _ => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Late => "late".into(),
            Self::Early => "early".into(),
        }
    }
}

impl Value for LogLevel {
    const FORMS: &'static str = "error, warn, info, debug or trace";

    fn read(text: &str) -> Option<Self> {
        // Celery's names too.
        match text.trim().to_ascii_lowercase().as_str() {
            "error" | "critical" | "fatal" => Some(Self::Error),
            "warn" | "warning" => Some(Self::Warn),
            "info" => Some(Self::Info),
            "debug" => Some(Self::Debug),
            "trace" => Some(Self::Trace),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.as_str().into()
    }
}

impl Value for LogFormat {
    const FORMS: &'static str = "\"pretty\" or \"json\"";

    fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "pretty" => Some(Self::Pretty),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Pretty => "pretty".into(),
            Self::Json => "json".into(),
        }
    }
}

/// A setting that may be off: `none`.
impl<T: Value> Value for Option<T> {
    const FORMS: &'static str = T::FORMS;
    const SECRET: bool = T::SECRET;

    fn read(text: &str) -> Option<Self> {
        if text.trim() == "none" { Some(None) } else { T::read(text).map(Some) }
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "none".into(), T::show)
    }
}
