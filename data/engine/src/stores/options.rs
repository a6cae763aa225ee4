use std::fmt;

use cardoon_errors::{Code, Error, Result};
use serde_json::{Map, Value};

use crate::errors;

/// The names of all options, of `client_kwargs` too.
const NAMES: [&str; 6] = ["key", "secret", "token", "anon", "endpoint_url", "client_kwargs"];
const CLIENT_NAMES: [&str; 5] =
    ["endpoint_url", "region_name", "aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

/// How a store is reached, where the environment does not say it. Options are those of s3fs, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreOptions {
    pub(super) key: Option<String>,
    pub(super) secret: Option<Secret>,
    pub(super) token: Option<Secret>,
    pub(super) unsigned: bool,
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl StoreOptions {
    /// From an object of JSON: `key`, `secret`, `token`, `anon`, `endpoint_url`, and `client_kwargs` with `endpoint_url` and
    /// `region_name`. Errors with [`Code::BadStoreOptions`] if an option has another name, or another type.
    pub fn from_json(text: &str) -> Result<Self> {
        // The error of the parser might repeat a secret.
        let Ok(Value::Object(given)) = serde_json::from_str(text) else {
            return Err(Error::new(Code::BadStoreOptions, "storage options are names with values"));
        };
        let mut options = Self::default();
        for (name, value) in given {
            options.set(&name, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: Value) -> Result<()> {
        match (name, value) {
            (_, Value::Null) if NAMES.contains(&name) => {}
            ("key", value) => self.key = Some(text(name, value)?),
            ("secret", value) => self.secret = Some(Secret(text(name, value)?)),
            ("token", value) => self.token = Some(Secret(text(name, value)?)),
            ("endpoint_url", value) => self.endpoint = Some(text(name, value)?),
            ("anon", Value::Bool(anon)) => self.unsigned = anon,
            ("client_kwargs", Value::Object(given)) => self.set_all_of_client(given)?,
            ("anon" | "client_kwargs", _) => return Err(mistyped(name)),
            _ => return Err(unknown(name, &NAMES)),
        }
        Ok(())
    }

    fn set_all_of_client(&mut self, given: Map<String, Value>) -> Result<()> {
        for (name, value) in given {
            match (name.as_str(), value) {
                (known, Value::Null) if CLIENT_NAMES.contains(&known) => {}
                ("region_name", value) => self.region = Some(text(&name, value)?),
                ("endpoint_url", value) => self.set("endpoint_url", value)?,
                ("aws_access_key_id", value) => self.set("key", value)?,
                ("aws_secret_access_key", value) => self.set("secret", value)?,
                ("aws_session_token", value) => self.set("token", value)?,
                _ => return Err(unknown(&name, &CLIENT_NAMES)),
            }
        }
        Ok(())
    }
}

fn text(name: &str, value: Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(mistyped(name)),
    }
}

fn mistyped(name: &str) -> Error {
    Error::new(Code::BadStoreOptions, format!("the storage option {name:?} has a value of another type"))
}

fn unknown(name: &str, known: &[&str]) -> Error {
    let error = Error::new(Code::BadStoreOptions, format!("there is no storage option {name:?}"))
        .checked(format!("the options are {}", known.join(", ")));
    match errors::nearest(name, known) {
        Some(nearest) => error.hint(format!("did you mean {nearest:?}?")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_of_s3fs() {
        let options = StoreOptions::from_json(
            r#"{"key": "k", "secret": "s", "token": null, "anon": false,
                "client_kwargs": {"endpoint_url": "http://127.0.0.1:9000", "region_name": "eu-west-1"}}"#,
        );
        let options = options.unwrap();
        assert_eq!((options.key.as_deref(), options.region.as_deref()), (Some("k"), Some("eu-west-1")));
        assert_eq!(options.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        assert!(!options.unsigned && options.token.is_none());
    }

    #[test]
    fn a_name_that_is_not_known_gets_the_nearest() {
        let error = StoreOptions::from_json(r#"{"endpoint": "http://x"}"#).unwrap_err();
        assert_eq!(error.code(), Code::BadStoreOptions);
        assert_eq!(error.next_step(), Some("did you mean \"endpoint_url\"?"));
        let error = StoreOptions::from_json(r#"{"client_kwargs": {"region": "x"}}"#).unwrap_err();
        assert_eq!(error.next_step(), Some("did you mean \"region_name\"?"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let options = StoreOptions::from_json(r#"{"key": "k", "secret": "hunter2", "token": "hunter3"}"#);
        assert!(!format!("{options:?}").contains("hunter"));
        for wrong in [r#"{"secret": 77123}"#, r#"["hunter2"]"#, r#"{"secret": "hunter2""#] {
            let error = format!("{:?}", StoreOptions::from_json(wrong).unwrap_err());
            assert!(!error.contains("hunter2") && !error.contains("77123"), "{error}");
        }
    }
}
