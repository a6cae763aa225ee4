//! Command lines that cannot be read, and those that only ask for help.

mod chinese;
mod help;
mod help_texts;
mod parse;
mod reasons;

pub(crate) use parse::parse;
