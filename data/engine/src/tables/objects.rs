//! From URLs and patterns to objects.

use cardoon_errors::{Code, Error, Result};
use glob::{MatchOptions, Pattern};

use super::paths::{by_name, no_files};
use super::roots::Roots;
use crate::errors;
use crate::stores::{Bucket, Object, ObjectUrl, Stores};

/// As in the names of files, stars do not go over slashes, unless there are two of them.
const RULES: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Keys that are looked at for one that is like a wanted one.
const NEAR: usize = 1000;

/// The objects that `url` means, in the order of their keys; a folder means those in it. `options` is the name of those by
/// which the bucket is reached.
pub(super) async fn expand(url: &ObjectUrl, options: Option<&str>, roots: &Roots) -> Result<Vec<Object>> {
    // Before anything is looked at: what lies outside is not even told of.
    roots.allow_url(&ObjectUrl::new(&url.bucket, literal_folder(&url.key)))?;
    let bucket = Stores::of_process()?.bucket(&url.bucket, options)?;
    let mut found = if url.key.contains(['*', '?', '[']) {
        matches(&bucket, &url.key).await?
    } else {
        named(&bucket, &url.key).await?
    };
    if found.is_empty() {
        return Err(nothing(&bucket, url, roots).await);
    }
    for object in &mut found {
        object.options = options.map(str::to_owned);
    }
    found.iter().try_for_each(|object| roots.allow_url(&object.url))?;
    Ok(found)
}

/// What a key without wildcards means: an object, or those of a folder whose names say what they are.
async fn named(bucket: &Bucket, key: &str) -> Result<Vec<Object>> {
    if !key.is_empty()
        && !key.ends_with('/')
        && let Some(object) = bucket.look(key).await?
    {
        return Ok(vec![object]);
    }
    let folder = if key.is_empty() || key.ends_with('/') { key.to_owned() } else { format!("{key}/") };
    let mut objects = bucket.list(&folder, false, usize::MAX).await?;
    objects.retain(|object| by_name(object.url.key.rsplit('/').next().unwrap_or_default()).is_some());
    Ok(objects)
}

async fn matches(bucket: &Bucket, pattern: &str) -> Result<Vec<Object>> {
    let rule = Pattern::new(pattern).map_err(|error| {
        Error::new(Code::NoFiles, format!("{pattern:?} is no pattern of file names")).source(error)
    })?;
    let prefix = literal(pattern);
    let is_deep = pattern[prefix.len()..].contains('/') || pattern.contains("**");
    let mut objects = bucket.list(prefix, is_deep, usize::MAX).await?;
    // An object may be called like a pattern, and then it is that one.
    if let Some(place) = objects.iter().position(|object| object.url.key == pattern) {
        return Ok(vec![objects.swap_remove(place)]);
    }
    objects.retain(|object| rule.matches_with(&object.url.key, RULES));
    Ok(objects)
}

/// The begin of a pattern that has no wildcard.
fn literal(pattern: &str) -> &str {
    pattern.find(['*', '?', '[']).map_or(pattern, |end| &pattern[..end])
}

/// The folder in which all that a pattern means is; a key without wildcards itself.
fn literal_folder(pattern: &str) -> &str {
    let begin = literal(pattern);
    if begin.len() == pattern.len() { begin } else { folder(begin).trim_end_matches('/') }
}

/// A key up to its last slash.
fn folder(key: &str) -> &str {
    key.rfind('/').map_or("", |slash| &key[..=slash])
}

/// The error of a URL that means nothing, with the key that is most like it.
async fn nothing(bucket: &Bucket, url: &ObjectUrl, roots: &Roots) -> Error {
    let error = no_files(&url.to_string());
    let place = ObjectUrl::new(&url.bucket, folder(literal(&url.key)));
    if roots.allow_url(&ObjectUrl::new(&url.bucket, place.key.trim_end_matches('/'))).is_err() {
        return error;
    }
    let objects = match bucket.list(&place.key, false, NEAR).await {
        Ok(objects) => objects,
        // Who may read objects need not be allowed to list them.
        Err(denied) if denied.code() == Code::StoreDenied => return error,
        Err(other) => return other,
    };
    let known: Vec<&str> = objects.iter().map(|object| &object.url.key[place.key.len()..]).collect();
    let error = error.checked(format!("{place} holds {} objects", known.len()));
    match errors::nearest(&url.key[place.key.len()..], &known) {
        Some(nearest) => error.hint(format!("did you mean {:?}?", format!("{place}{nearest}"))),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_of_keys_are_those_of_paths() {
        for (pattern, key, is_match) in [
            ("logs/*.csv", "logs/a.csv", true),
            ("logs/*.csv", "logs/2026/a.csv", false),
            ("logs/**/*.csv", "logs/2026/01/a.csv", true),
            ("logs/**/*.csv", "logs/a.csv", true),
            ("logs/*/a.csv", "logs/2026/a.csv", true),
            ("logs/?.csv", "logs/a.csv", true),
            ("logs/?.csv", "logs/ab.csv", false),
            ("logs/[0-9].csv", "logs/7.csv", true),
            ("logs/[0-9].csv", "logs/x.csv", false),
            ("*.csv", "a/b.csv", false),
        ] {
            let rule = Pattern::new(pattern).unwrap();
            assert_eq!(rule.matches_with(key, RULES), is_match, "{pattern} {key}");
        }
    }

    #[test]
    fn a_pattern_is_looked_for_from_where_it_is_literal() {
        for (pattern, begin, folder) in [
            ("logs/2026-*.csv", "logs/2026-", "logs"),
            ("*.csv", "", ""),
            ("a/b?/c", "a/b", "a"),
            ("a/[b]", "a/", "a"),
            ("a/b.csv", "a/b.csv", "a/b.csv"),
        ] {
            assert_eq!((literal(pattern), literal_folder(pattern)), (begin, folder), "{pattern}");
        }
    }
}
