//! Command lines in Chinese: clap's help and what it says of a line that cannot be read. What a program says of its own commands
//! stays with the program, which hands its texts over as a [`Chinese`].

mod chinese;
mod help;
mod reasons;
mod slips;

pub use chinese::Chinese;
