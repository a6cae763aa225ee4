//! Who may do what: the tokens of programs, and the checks that keep other sites' pages out.

mod file;
mod guard;
mod origin;
mod scope;
mod tokens;

pub use file::{TokenFile, TokenPlace};
pub use scope::Scope;
pub use tokens::{Token, Tokens};

pub(crate) use guard::{allow_control, allow_read, allow_send, guard};
pub(crate) use tokens::hex;
