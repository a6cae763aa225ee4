//! Which line of which file is no JSON: the engine says neither.

use std::io::{BufRead as _, BufReader};

use cardoon_csv::Input;
use cardoon_errors::Error;
use datafusion::error::DataFusionError;
use serde::de::IgnoredAny;

use super::super::csv;
use super::super::location::Location;
use crate::errors::{self, IntoEngine as _};
use crate::stores::Stores;

/// An object, whatever it holds.
type Object = serde_json::Map<String, serde_json::Value>;

/// The error of the first line that cannot be read, nothing if all can. All files are read, on a thread that may wait.
pub(super) async fn first(files: &[Location], is_array: bool) -> Option<DataFusionError> {
    let files = files.to_vec();
    let fault = move || files.iter().find_map(|file| fault(file, is_array).err());
    let fault = Stores::of_process().ok()?.handle().spawn_blocking(fault).await.ok()?;
    fault.map(Error::into_engine)
}

fn fault(file: &Location, is_array: bool) -> Result<(), Error> {
    let name = file.to_string();
    let input = csv::unpacked(file)?;
    if is_array { array(&name, input) } else { lines(&name, input) }
}

fn lines(file: &str, input: Input) -> Result<(), Error> {
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(|error| csv::unreadable(file, error))? == 0 {
            break;
        }
        if !line.trim_ascii().is_empty() {
            let object = serde_json::from_slice::<Object>(&line);
            object.map_err(|error| errors::no_json(file, number, reason(&error)))?;
        }
    }
    Ok(())
}

fn array(file: &str, input: Input) -> Result<(), Error> {
    match serde_json::from_reader::<_, IgnoredAny>(BufReader::new(input)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_io() => Err(csv::unreadable(file, error.into())),
        Err(error) => Err(errors::no_json(file, error.line(), reason(&error))),
    }
}

/// What is wrong, and at which letter of the line.
fn reason(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let what = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    format!("{what}, at column {}", error.column())
}
