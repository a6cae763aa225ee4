//! What goes wrong with functions of Python.

use cardoon_errors::{Code, Error};
use cardoon_frame::PythonFunction;
use serde::Deserialize;

use super::children::Death;

/// An exception that a function raised.
#[derive(Debug, Deserialize)]
pub(super) struct Raised {
    /// The name of its class and of those that it derives from, the nearest first.
    classes: Vec<String>,
    message: String,
    traceback: Vec<String>,
}

/// A column that a function made, and that is another one than was said.
#[derive(Debug, Deserialize)]
pub(super) struct Unlike {
    what: String,
    /// How to say it. Nothing if the function itself is to be another one.
    meta: String,
}

pub(super) fn raised(function: &PythonFunction, Raised { classes, message, traceback }: Raised) -> Error {
    let class = classes.first().map_or("an exception", String::as_str);
    let text = if message.is_empty() { class.to_owned() } else { format!("{class}: {message}") };
    let error = Error::new(Code::FunctionRaised, format!("the function {} raised {text}", function.name))
        .checked(format!("classes: {}", classes.join(", ")));
    traceback.into_iter().fold(error, Error::checked)
}

pub(super) fn unlike(function: &PythonFunction, Unlike { what, meta }: Unlike) -> Error {
    let error = Error::new(
        Code::OtherColumns,
        format!("the function {} made other columns than meta says", function.name),
    )
    .checked(what);
    match meta.as_str() {
        "" => error.hint("let the function return a frame"),
        meta => error.hint(format!("say what it makes: meta={meta}")),
    }
}

/// Children that were given the same chunk died one after the other.
pub(super) fn died(function: &PythonFunction, attempts: u32, death: &Death) -> Error {
    let error = Error::new(
        Code::ChildDied,
        format!("the process of the function {} died {attempts} times", function.name),
    )
    .checked(death.how.clone());
    death.said.lines().map(str::to_owned).fold(error, Error::checked)
}

/// A child that has said nothing before it died would not do so the next time either.
pub(super) fn no_start(program: &str, death: &Death) -> Error {
    let error = Error::new(Code::NoPython, format!("{program} does not carry out functions of Python"))
        .checked(death.how.clone());
    let error = death.said.lines().map(str::to_owned).fold(error, Error::checked);
    error.hint("name an interpreter that has the package cardoon-data")
}

pub(super) fn not_allowed(function: &PythonFunction) -> Error {
    Error::new(Code::NoPython, format!("the function {} may not be carried out here", function.name))
        .hint("start executors with --python python3 and a token, or ask from Python")
}

pub(super) fn other_python(function: &PythonFunction, found: &str) -> Error {
    Error::new(Code::OtherPython, format!("the function {} was made by another Python", function.name))
        .checked(format!("here {found}, where it was made {}", function.python))
        .hint("start executors with a --python of the same version")
}
