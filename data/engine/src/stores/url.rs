use std::fmt;

use cardoon_errors::{Code, Error, Result};
use serde::{Deserialize, Serialize};

use crate::errors;

/// The scheme of all URLs that are read and written.
const SCHEME: &str = "s3";

/// Letters of a bucket's name, at most.
const LONGEST: usize = 255;

/// Schemes for which people have another one in mind, or another tool.
const KNOWN: [&str; 9] = ["s3", "s3a", "s3n", "gs", "gcs", "az", "abfs", "http", "https"];

/// An object, or several of them if the key is a pattern: `s3://bucket/key`. The key may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ObjectUrl {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

impl ObjectUrl {
    pub(crate) fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into() }
    }

    /// Nothing if `text` is the path of a file, or its URL. Errors with [`Code::BadStoreOptions`] if it is a URL of another
    /// scheme, or names no bucket.
    pub(crate) fn of(text: &str) -> Result<Option<Self>> {
        match text.split_once("://") {
            None | Some(("file", _)) => Ok(None),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => Self::after_scheme(rest).map(Some),
            Some((scheme, _)) => Err(unknown(scheme)),
        }
    }

    fn after_scheme(rest: &str) -> Result<Self> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.contains('@') {
            // What stands before it may be a password, so that it is not said.
            let error = Error::new(Code::BadStoreOptions, "a URL of a store has no user and no password");
            return Err(error.hint("give keys by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
        }
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
        if bucket.is_empty() || bucket.len() > LONGEST || !bucket.chars().all(is_letter) {
            return Err(Error::new(Code::BadStoreOptions, format!("{bucket:?} is no name of a bucket"))
                .hint("a URL has the form s3://bucket/key"));
        }
        Ok(Self::new(bucket, key))
    }
}

impl fmt::Display for ObjectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}://{}/{}", self.bucket, self.key)
    }
}

fn unknown(scheme: &str) -> Error {
    let error = Error::new(Code::BadStoreOptions, format!("files are not read or written by {scheme}://"))
        .checked("known are paths, file:// and s3://");
    match errors::nearest(scheme, &KNOWN) {
        Some("s3" | "s3a" | "s3n") => error.hint("write s3://bucket/key"),
        Some("gs" | "gcs") => error.hint(
            "Google's store speaks S3 too: s3://bucket/key, with AWS_ENDPOINT_URL=https://storage.googleapis.com",
        ),
        _ => error.hint("copy the files to a folder or to a store that speaks S3"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_bucket_and_a_key() {
        let of = |text| ObjectUrl::of(text).unwrap();
        assert_eq!(of("s3://logs/2026/*.csv"), Some(ObjectUrl::new("logs", "2026/*.csv")));
        assert_eq!(of("S3://logs"), Some(ObjectUrl::new("logs", "")));
        assert_eq!(of("s3://logs/a//b"), Some(ObjectUrl::new("logs", "a//b")));
        assert_eq!(of("file:///logs/a.csv"), None);
        assert_eq!(of("logs/a.csv"), None);
        assert_eq!(of("s3://logs/a b").unwrap().to_string(), "s3://logs/a b");
    }

    #[test]
    fn what_is_no_store_of_this_kind_is_refused() {
        for (text, said) in [
            ("gs://logs/a.csv", "AWS_ENDPOINT_URL"),
            ("s3a://logs/a.csv", "s3://bucket/key"),
            ("http://host/a.csv", "copy"),
            ("s3:///a.csv", "s3://bucket/key"),
        ] {
            let error = ObjectUrl::of(text).unwrap_err();
            assert_eq!(error.code(), Code::BadStoreOptions, "{text}");
            assert!(error.next_step().unwrap().contains(said), "{text}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_not_repeated() {
        let error = ObjectUrl::of("s3://AKIAEXAMPLE:hunter2@logs/a.csv").unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
