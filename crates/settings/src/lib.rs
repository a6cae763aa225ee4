//! Settings: flags, then `CARDOON_*`, then `cardoon.toml`, then defaults, each value with its origin.
//!
//! One table ([`Settings`]) is written by hand; parsing, defaults and `cardoon settings show` follow from it.

mod entry;
mod file;
mod secret;
mod sources;
mod table;
mod units;
mod url;
mod value;

pub use entry::{Definition, Entry, Origin};
pub use file::{FILE_NAME, find_file};
pub use secret::Password;
pub use sources::{Flag, Sources};
pub use table::{Broker, Gateway, Limits, Log, Results, Retention, Retry, Settings, Worker};
pub use units::{ByteSize, parse_byte_size, parse_duration, show_duration};
pub use url::{StoreUrl, without_password};
pub use value::{Ack, LogFormat, LogLevel};
