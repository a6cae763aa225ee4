//! From names and patterns to files.

use std::fs;
use std::path::{Component, Path, PathBuf};

use cardoon_errors::{Code, Error, Result};
use cardoon_frame::{Format, Scan};

use crate::errors;

/// Files that one scan reads, at most.
const FILES: usize = 1_000_000;

/// Whether a name in a query is meant as a path rather than as the name of a table.
pub(super) fn is_path(name: &str) -> bool {
    name.contains(['/', '\\', '.', '*'])
}

/// The files that the patterns mean, each of them in the order of its names. A folder means the files in it.
pub(super) fn expand(patterns: &[String], roots: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for pattern in patterns {
        // Before anything is looked at: what lies outside is not even told of.
        within(literal_folder(pattern), roots)?;
        files.extend(matches(pattern)?);
        if files.len() > FILES {
            return Err(Error::new(Code::NoFiles, format!("{pattern:?} means more than {FILES} files")));
        }
    }
    if files.is_empty() {
        return Err(Error::new(Code::NoFiles, "no files were named"));
    }
    files.iter().try_for_each(|file| within(file, roots))?;
    Ok(files)
}

/// The part of a pattern before its first wildcard; the current folder if it begins with one.
fn literal_folder(pattern: &str) -> &Path {
    let path = Path::new(pattern.strip_prefix("file://").unwrap_or(pattern));
    let is_literal = |part: &&Path| !part.to_string_lossy().contains(['*', '?', '[']);
    path.ancestors().find(is_literal).filter(|part| !part.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn matches(pattern: &str) -> Result<Vec<PathBuf>> {
    if let Some((scheme, _)) = pattern.split_once("://") {
        return match pattern.strip_prefix("file://") {
            Some(path) => matches(path),
            None => Err(Error::new(Code::NoFormat, format!("files cannot be read by {scheme}:// yet"))),
        };
    }
    let path = Path::new(pattern);
    if path.is_dir() {
        return in_folder(path);
    }
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if path.exists() {
        return Err(Error::new(Code::FileUnreadable, format!("{pattern:?} is no regular file")));
    }
    let found = glob::glob(pattern).map_err(|error| {
        Error::new(Code::NoFiles, format!("{pattern:?} is no pattern of file names")).source(error)
    })?;
    let mut files = Vec::new();
    for file in found {
        let file = file.map_err(|error| {
            let path = error.path().to_owned();
            unreadable(&path, error.into())
        })?;
        if file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() { Err(no_files(pattern)) } else { Ok(files) }
}

/// The files of a folder whose names say what they are.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| unreadable(folder, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && by_name(&path).is_some() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(no_files(&folder.display().to_string())) } else { Ok(files) }
}

fn no_files(pattern: &str) -> Error {
    let error = Error::new(Code::NoFiles, format!("no file matches {pattern:?}"));
    let path = Path::new(pattern);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else {
        return error.checked(format!("there is no folder {}", folder.display()));
    };
    let names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let error = error.checked(format!("the folder {} holds {} entries", folder.display(), known.len()));
    match errors::nearest(&wanted, &known) {
        Some(nearest) => error.hint(format!("did you mean {:?}?", folder.join(nearest).display())),
        None => error,
    }
}

pub(super) fn unreadable(path: &Path, error: std::io::Error) -> Error {
    let code =
        if error.kind() == std::io::ErrorKind::NotFound { Code::NoFiles } else { Code::FileUnreadable };
    Error::new(code, format!("{} cannot be read", path.display())).source(error)
}

/// Links are followed first, so that none leads out.
fn within(file: &Path, roots: &[PathBuf]) -> Result<()> {
    if roots.is_empty() {
        return Ok(());
    }
    let whole = std::path::absolute(file).map_err(|error| unreadable(file, error))?;
    // What is not there yet would be made in the nearest folder that is.
    let real = whole.ancestors().find_map(|part| fs::canonicalize(part).ok());
    let inside = |root: &PathBuf| {
        fs::canonicalize(root).is_ok_and(|root| real.as_ref().is_some_and(|real| real.starts_with(root)))
    };
    if !file.components().any(|part| part == Component::ParentDir && !whole.exists())
        && roots.iter().any(inside)
    {
        return Ok(());
    }
    let allowed: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
    Err(Error::new(Code::OutsideRoots, format!("{} is outside of the allowed folders", file.display()))
        .checked(format!("allowed are {}", allowed.join(", "))))
}

/// Whether a file of this name may be made.
pub(crate) fn may_write(file: &Path, roots: &[PathBuf]) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    within(folder.unwrap_or(Path::new(".")), roots)
}

/// What the files are: as the scan says, else by their names, which have to agree.
pub(super) fn format(scan: &Scan, files: &[PathBuf]) -> Result<Format> {
    if let Some(format) = scan.format {
        return Ok(format);
    }
    let mut found = None;
    for file in files {
        let format = by_name(file).ok_or_else(|| {
            Error::new(Code::NoFormat, format!("the name of {} does not say what it is", file.display()))
                .hint("names end in .csv, .tsv, .jsonl or .parquet, with .gz or .zst after it if compressed")
        })?;
        if found.is_some_and(|found| found != format) {
            return Err(Error::new(Code::NoFormat, "the files are not all of one format")
                .checked(format!("{} is another than those before it", file.display())));
        }
        found = Some(format);
    }
    found.ok_or_else(|| Error::new(Code::NoFiles, "no files were named"))
}

fn by_name(file: &Path) -> Option<Format> {
    let name = file.file_name()?.to_string_lossy().to_lowercase();
    let plain = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    match plain.rsplit_once('.')?.1 {
        "csv" | "tsv" | "txt" | "log" => Some(Format::Csv),
        "json" | "jsonl" | "ndjson" => Some(Format::JsonLines),
        "parquet" | "pq" => Some(Format::Parquet),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.csv", "users.parquet", "notes.md"] {
            fs::write(folder.path().join(name), "x\n").unwrap();
        }
        folder
    }

    fn named(files: &[PathBuf]) -> Vec<String> {
        files.iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn patterns_mean_files_in_the_order_of_their_names() {
        let folder = folder();
        let pattern = |name: &str| vec![folder.path().join(name).display().to_string()];
        assert_eq!(named(&expand(&pattern("*.csv"), &[]).unwrap()), ["a.csv", "b.csv"]);
        assert_eq!(named(&expand(&pattern(""), &[]).unwrap()), ["a.csv", "b.csv", "users.parquet"]);
    }

    #[test]
    fn a_pattern_without_a_match_names_the_nearest_file() {
        let folder = folder();
        let wanted = folder.path().join("user.parquet").display().to_string();
        let error = expand(&[wanted], &[]).unwrap_err();
        assert_eq!(error.code(), Code::NoFiles);
        assert!(error.next_step().unwrap().contains("users.parquet"));
    }

    #[test]
    fn nothing_outside_of_the_roots_is_read() {
        let (inside, outside) = (folder(), folder());
        let roots = [inside.path().to_owned()];
        let climbing = inside.path().join("..").join(outside.path().file_name().unwrap()).join("a.csv");
        let error = expand(&[climbing.display().to_string()], &roots).unwrap_err();
        assert_eq!(error.code(), Code::OutsideRoots);
        #[cfg(unix)]
        {
            let link = inside.path().join("link.csv");
            std::os::unix::fs::symlink(outside.path().join("a.csv"), &link).unwrap();
            assert_eq!(expand(&[link.display().to_string()], &roots).unwrap_err().code(), Code::OutsideRoots);
        }
        assert!(expand(&[inside.path().join("a.csv").display().to_string()], &roots).is_ok());
    }

    #[test]
    fn a_pattern_is_looked_for_from_where_it_is_literal() {
        for (pattern, folder) in [
            ("*.csv", "."),
            ("a/b?/c.csv", "a"),
            ("/a/*", "/a"),
            ("a.csv", "a.csv"),
            ("file:///a/**/b", "/a"),
        ] {
            assert_eq!(literal_folder(pattern), Path::new(folder), "{pattern}");
        }
    }

    #[test]
    fn names_say_what_files_are() {
        let of = |name: &str| by_name(Path::new(name));
        assert_eq!(of("a/LOG.CSV.gz"), Some(Format::Csv));
        assert_eq!(of("a.jsonl.zst"), Some(Format::JsonLines));
        assert_eq!(of("a.parquet"), Some(Format::Parquet));
        assert_eq!(of("a.md"), None);
        let both = [PathBuf::from("a.csv"), PathBuf::from("b.parquet")];
        assert_eq!(format(&Scan::new(["*"]), &both).unwrap_err().code(), Code::NoFormat);
    }
}
