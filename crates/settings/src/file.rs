//! `cardoon.toml`: finding it, and making `section.key` pairs of it.

use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Result};
use toml::{Table, Value};

/// The name of the settings file.
pub const FILE_NAME: &str = "cardoon.toml";

/// The settings file of `folder` or of the nearest folder above it.
pub fn find_file(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
}

/// Reads `path` into pairs of a setting's name and its value as text.
pub(crate) fn read(path: &Path) -> Result<Vec<(String, String)>> {
    let unreadable = || {
        Error::new(Code::BadSettingsFile, format!("cannot read {}", path.display()))
            .hint("correct the file, then run: cardoon settings show --origin")
    };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable().source(error))?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        unreadable().checked(position(&text, &error)).checked(error.message().to_owned())
    })?;
    let mut pairs = Vec::new();
    for (section, value) in table {
        flatten(section, value, &mut pairs).map_err(|finding| unreadable().checked(finding))?;
    }
    Ok(pairs)
}

fn flatten(name: String, value: Value, pairs: &mut Vec<(String, String)>) -> Result<(), String> {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                flatten(format!("{name}.{key}"), value, pairs)?;
            }
        }
        // `broker = "sqlite:tasks.db"` is short for the section's `url`, as `CARDOON_BROKER` is.
        Value::String(text) if name == "broker" || name == "results" => {
            pairs.push((format!("{name}.url"), text));
        }
        value => {
            let text = as_text(&value)
                .ok_or_else(|| format!("{name}: a {} has no meaning here", value.type_str()))?;
            pairs.push((name, text));
        }
    }
    Ok(())
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Array(items) => {
            items.iter().map(as_text).collect::<Option<Vec<_>>>().map(|items| items.join(","))
        }
        Value::Datetime(_) | Value::Table(_) => None,
    }
}

fn position(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    format!("line {line}")
}
