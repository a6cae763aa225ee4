//! From names and patterns to files.

use std::fs;
use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Result};
use cardoon_frame::{Format, Scan};

use super::location::Location;
use super::objects;
use super::roots::Roots;
use crate::errors;
use crate::stores::ObjectUrl;

/// Files that one scan reads, at most.
const FILES: usize = 1_000_000;

/// Whether a name in a query is meant as a path rather than as the name of a table.
pub(super) fn is_path(name: &str) -> bool {
    name.contains(['/', '\\', '.', '*'])
}

/// The files that the patterns of `scan` mean, each of them in the order of its names. A folder means the files in it.
pub(super) async fn expand(scan: &Scan, roots: &Roots) -> Result<Vec<Location>> {
    let mut files = Vec::new();
    for pattern in &scan.paths {
        match ObjectUrl::of(pattern)? {
            Some(url) => {
                let objects = objects::expand(&url, scan.store_options.as_deref(), roots).await?;
                files.extend(objects.into_iter().map(Location::Object));
            }
            None => files.extend(local(pattern, roots)?.into_iter().map(Location::Local)),
        }
        if files.len() > FILES {
            return Err(Error::new(Code::NoFiles, format!("{pattern:?} means more than {FILES} files")));
        }
    }
    if files.is_empty() {
        return Err(Error::new(Code::NoFiles, "no files were named"));
    }
    Ok(files)
}

fn local(pattern: &str, roots: &Roots) -> Result<Vec<PathBuf>> {
    let pattern = pattern.strip_prefix("file://").unwrap_or(pattern);
    // Before anything is looked at: what lies outside is not even told of.
    roots.allow(literal_folder(pattern))?;
    let files = matches(pattern)?;
    files.iter().try_for_each(|file| roots.allow(file))?;
    Ok(files)
}

/// The part of a pattern before its first wildcard; the current folder if it begins with one.
fn literal_folder(pattern: &str) -> &Path {
    let path = Path::new(pattern);
    let is_literal = |part: &&Path| !part.to_string_lossy().contains(['*', '?', '[']);
    path.ancestors().find(is_literal).filter(|part| !part.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn matches(pattern: &str) -> Result<Vec<PathBuf>> {
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
    if files.is_empty() { Err(nothing(pattern)) } else { Ok(files) }
}

/// The files of a folder whose names say what they are.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| unreadable(folder, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && by_name(&name_of(&path)).is_some() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(nothing(&folder.display().to_string())) } else { Ok(files) }
}

pub(super) fn no_files(pattern: &str) -> Error {
    Error::new(Code::NoFiles, format!("no file matches {pattern:?}"))
}

/// The error of a pattern that means nothing, with the file that is most like it.
fn nothing(pattern: &str) -> Error {
    let error = no_files(pattern);
    let path = Path::new(pattern);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else {
        return error.checked(format!("there is no folder {}", folder.display()));
    };
    let names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted = name_of(path);
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

/// What the files are: as the scan says, else by their names, which have to agree.
pub(super) fn format(scan: &Scan, files: &[Location]) -> Result<Format> {
    if let Some(format) = scan.format {
        return Ok(format);
    }
    let mut found = None;
    for file in files {
        let format = by_name(&file.name()).ok_or_else(|| {
            Error::new(Code::NoFormat, format!("the name of {file} does not say what it is"))
                .hint("names end in .csv, .tsv, .jsonl or .parquet, with .gz or .zst after it if compressed")
        })?;
        if found.is_some_and(|found| found != format) {
            return Err(Error::new(Code::NoFormat, "the files are not all of one format")
                .checked(format!("{file} is another than those before it")));
        }
        found = Some(format);
    }
    found.ok_or_else(|| Error::new(Code::NoFiles, "no files were named"))
}

/// What a file is, by its name.
pub(super) fn by_name(name: &str) -> Option<Format> {
    let name = name.to_lowercase();
    let plain = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    match plain.rsplit_once('.')?.1 {
        "csv" | "tsv" | "txt" | "log" => Some(Format::Csv),
        "json" | "jsonl" | "ndjson" => Some(Format::JsonLines),
        "parquet" | "pq" => Some(Format::Parquet),
        _ => None,
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
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

    fn expand(pattern: &str, roots: &[PathBuf]) -> Result<Vec<String>> {
        let files = local(pattern, &Roots::new(roots).unwrap())?;
        Ok(files.iter().map(|file| name_of(file)).collect())
    }

    #[test]
    fn patterns_mean_files_in_the_order_of_their_names() {
        let folder = folder();
        let pattern = |name: &str| folder.path().join(name).display().to_string();
        assert_eq!(expand(&pattern("*.csv"), &[]).unwrap(), ["a.csv", "b.csv"]);
        assert_eq!(expand(&pattern(""), &[]).unwrap(), ["a.csv", "b.csv", "users.parquet"]);
    }

    #[test]
    fn a_pattern_without_a_match_names_the_nearest_file() {
        let folder = folder();
        let wanted = folder.path().join("user.parquet").display().to_string();
        let error = expand(&wanted, &[]).unwrap_err();
        assert_eq!(error.code(), Code::NoFiles);
        assert!(error.next_step().unwrap().contains("users.parquet"));
    }

    #[test]
    fn nothing_outside_of_the_roots_is_read() {
        let (inside, outside) = (folder(), folder());
        let roots = [inside.path().to_owned()];
        let climbing = inside.path().join("..").join(outside.path().file_name().unwrap()).join("a.csv");
        let error = expand(&climbing.display().to_string(), &roots).unwrap_err();
        assert_eq!(error.code(), Code::OutsideRoots);
        #[cfg(unix)]
        {
            let link = inside.path().join("link.csv");
            std::os::unix::fs::symlink(outside.path().join("a.csv"), &link).unwrap();
            assert_eq!(expand(&link.display().to_string(), &roots).unwrap_err().code(), Code::OutsideRoots);
        }
        assert!(expand(&inside.path().join("a.csv").display().to_string(), &roots).is_ok());
    }

    #[test]
    fn a_pattern_is_looked_for_from_where_it_is_literal() {
        for (pattern, folder) in
            [("*.csv", "."), ("a/b?/c.csv", "a"), ("/a/*", "/a"), ("a.csv", "a.csv"), ("/a/**/b", "/a")]
        {
            assert_eq!(literal_folder(pattern), Path::new(folder), "{pattern}");
        }
    }

    #[test]
    fn names_say_what_files_are() {
        assert_eq!(by_name("LOG.CSV.gz"), Some(Format::Csv));
        assert_eq!(by_name("a.jsonl.zst"), Some(Format::JsonLines));
        assert_eq!(by_name("a.parquet"), Some(Format::Parquet));
        assert_eq!(by_name("a.md"), None);
        let both = ["a.csv", "b.parquet"].map(|name| Location::Local(name.into()));
        assert_eq!(format(&Scan::new(["*"]), &both).unwrap_err().code(), Code::NoFormat);
    }
}
