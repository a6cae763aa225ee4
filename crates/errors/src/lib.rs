//! Errors as part of the interface: a code, a kind that says what to do, what was checked, the next command.

mod code;
mod error;
mod finding;
mod kind;
mod page;
mod phrases;
mod said;
pub mod text;

pub use code::Code;
pub use error::{Applied, Error};
pub use finding::{Finding, Report, Severity};
pub use kind::Kind;
pub use page::{Language, page, title};
pub use phrases::{phrase, sentence};
pub use said::{Said, described};

/// The result of everything in Cardoon that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;
