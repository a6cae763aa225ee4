//! Command lines that cannot be read, and those that only ask for help.

mod chinese;
mod parse;

pub(crate) use parse::parse;
