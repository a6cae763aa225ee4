//! Says what will differ for an application of Celery. The package of Python does the work.

use std::process::Command;

use cardoon_errors::{Code, Error, Language, Result};

use super::python::interpreter;
use crate::exit::Exit;
use crate::output::Format;
use crate::session::Session;

pub(crate) fn run(session: &Session, format: Format) -> Result<Exit> {
    let Some(app) = &session.app else {
        return Err(Error::new(Code::BadInput, "no application is named").hint("cardoon assess -A proj"));
    };
    let python = interpreter(session.python.as_deref());
    let form = match format {
        Format::Table => "table",
        Format::Json | Format::Jsonl => "json",
    };
    let language = match session.language {
        Language::English => "en",
        Language::Chinese => "zh",
    };
    let mut command = Command::new(&python);
    command.args(["-m", "cardoon.assess", "-A", app, "-o", form, "--lang", language]);
    let status = command.status().map_err(|error| {
        Error::new(Code::NoChildren, format!("cannot start {}", python.display()))
            .checked(error.to_string())
            .hint("name the interpreter that has the package: cardoon worker --python PATH")
    })?;
    match status.code() {
        Some(0) => Ok(Exit::Done),
        Some(1) => Ok(Exit::Failed),
        Some(6) => Ok(Exit::NotImported),
        // It has said why.
        _ => Ok(Exit::Wrong),
    }
}
