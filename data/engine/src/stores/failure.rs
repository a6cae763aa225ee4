//! What a store says, with a code. Its own texts are not passed on: they repeat what was signed.

use std::error::Error as StdError;

use cardoon_errors::{Code, Error};
use object_store::Error as Store;

/// Whom a request was sent to, for people.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) endpoint: String,
    /// Which key signed it.
    pub(super) key: String,
}

/// What is said of keys that a store does not accept.
const BAD_KEYS: [&str; 7] = [
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
    "ExpiredToken",
    "InvalidToken",
    "InvalidClientTokenId",
    "RequestTimeTooSkewed",
    "AuthFailure",
];

/// What is said of a request that went to another region than the bucket's.
const OTHER_REGION: [&str; 3] =
    ["PermanentRedirect", "AuthorizationHeaderMalformed", "redirect without LOCATION"];

/// The error of a request for `url`; `otherwise` is the code of what needs no code of its own.
pub(super) fn coded(error: &Store, url: &str, asked: &Asked, otherwise: Code) -> Error {
    let said = said(error);
    let code = within(&said, "<Code>", "</Code>").unwrap_or_default();
    if BAD_KEYS.contains(&code) {
        return Error::new(Code::StoreDenied, format!("the object store does not accept the keys for {url}"))
            .checked(format!("it answers {code}; {}", asked.key))
            .hint("look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or at key and secret of storage_options");
    }
    if OTHER_REGION.iter().any(|word| code == *word || said.contains(word)) {
        return Error::new(Code::BadStoreOptions, format!("{url} is in another region"))
            .hint("set AWS_REGION to the region of the bucket");
    }
    match error {
        _ if code == "NoSuchBucket" => no_bucket(url, asked),
        Store::NotFound { .. } => Error::new(Code::NoFiles, format!("there is no object {url}")),
        Store::Precondition { .. } => changed(url),
        Store::PermissionDenied { .. } | Store::Unauthenticated { .. } => denied(url, asked),
        _ if code == "AccessDenied" || said.contains("non-2xx status code: 403") => denied(url, asked),
        _ if is_away(&said) => away(url, asked, error),
        _ => Error::new(otherwise, format!("the object store fails for {url}"))
            .checked(first_line(code, error)),
    }
}

/// The error of a client that cannot be made.
pub(super) fn of_config(error: &Store) -> Error {
    Error::new(Code::BadStoreOptions, "an object store cannot be reached with these options")
        .checked(deepest(error))
}

/// Whether the store does not know conditions.
pub(super) fn is_unknown_condition(error: &Store) -> bool {
    let said = said(error);
    matches!(within(&said, "<Code>", "</Code>"), Some("NotImplemented" | "UnsupportedArgument"))
}

/// An object that is another one than when it was listed.
pub(super) fn changed(url: &str) -> Error {
    Error::new(Code::FileChanged, format!("{url} changed while it was read"))
}

fn no_bucket(url: &str, asked: &Asked) -> Error {
    Error::new(Code::NoSuchBucket, format!("the bucket of {url} does not exist"))
        .checked(format!("the store is {}", asked.endpoint))
        .hint("look at the name, and at AWS_ENDPOINT_URL")
}

fn denied(url: &str, asked: &Asked) -> Error {
    Error::new(Code::StoreDenied, format!("access to {url} is denied"))
        .checked(asked.key.clone())
        .hint("let the owner of the bucket allow it: listing, reading or writing")
}

fn away(url: &str, asked: &Asked, error: &Store) -> Error {
    Error::new(Code::StoreAway, format!("the object store does not answer for {url}"))
        .checked(format!("{}: {}", asked.endpoint, deepest(error)))
        .hint("look at AWS_ENDPOINT_URL, and whether the store runs")
}

/// Whether nobody answers, or only to say that it is not possible now.
fn is_away(said: &str) -> bool {
    let words = ["error sending request", "HTTP error", "non-2xx status code: 5", "non-2xx status code: 429"];
    words.iter().any(|word| said.contains(word))
}

fn first_line(code: &str, error: &Store) -> String {
    if !code.is_empty() {
        return format!("it answers {code}");
    }
    let line = deepest(error).lines().next().unwrap_or_default().to_owned();
    // Documents of a store may have in them what was signed.
    line.split('<').next().unwrap_or_default().trim().to_owned()
}

fn deepest(error: &Store) -> String {
    let last = std::iter::successors(Some(error as &dyn StdError), |error| (*error).source()).last();
    let text = last.map(ToString::to_string).unwrap_or_default();
    text.split('<').next().unwrap_or_default().trim().to_owned()
}

/// All texts of an error and its causes.
fn said(error: &Store) -> String {
    let causes = std::iter::successors(Some(error as &dyn StdError), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn within<'a>(said: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    said.split_once(begin)?.1.split_once(end).map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: &Store) -> Error {
        let asked = Asked { endpoint: "http://store".into(), key: "the access key is AKIA…MPLE".into() };
        coded(error, "s3://b/k", &asked, Code::FileUnreadable)
    }

    fn generic(said: &str) -> Store {
        Store::Generic { store: "S3", source: said.to_owned().into() }
    }

    #[test]
    fn what_a_store_says_has_a_code() {
        for (said, code) in [
            ("status code: 403: <Error><Code>SignatureDoesNotMatch</Code></Error>", Code::StoreDenied),
            ("status code: 404: <Error><Code>NoSuchBucket</Code></Error>", Code::NoSuchBucket),
            ("<Code>PermanentRedirect</Code>", Code::BadStoreOptions),
            ("<Code>AccessDenied</Code>", Code::StoreDenied),
            ("Server returned non-2xx status code: 403 Forbidden: ", Code::StoreDenied),
            ("HTTP error: error sending request", Code::StoreAway),
            ("Server returned non-2xx status code: 503 Service Unavailable: ", Code::StoreAway),
            ("<Code>InvalidRequest</Code>", Code::FileUnreadable),
        ] {
            assert_eq!(of(&generic(said)).code(), code, "{said}");
        }
        let denied = Store::PermissionDenied { path: "k".into(), source: "x".into() };
        assert_eq!(of(&denied).code(), Code::StoreDenied);
        let changed = Store::Precondition { path: "k".into(), source: "x".into() };
        assert_eq!(of(&changed).code(), Code::FileChanged);
    }

    #[test]
    fn documents_of_a_store_are_not_passed_on() {
        for code in ["SignatureDoesNotMatch", "Other"] {
            let said =
                format!("status 400: <Error><Code>{code}</Code><StringToSign>hunter2</StringToSign></Error>");
            let error = of(&generic(&said));
            assert!(!format!("{error:?}").contains("hunter2"));
            assert!(format!("{error:?}").contains(code));
        }
        assert!(!format!("{:?}", of(&generic("no code <hunter2>"))).contains("hunter2"));
    }
}
