//! What queries may read and write, where that is limited.

use std::fs;
use std::path::{Component, Path, PathBuf};

use cardoon_errors::{Code, Error, Result};

use super::paths::unreadable;
use crate::stores::ObjectUrl;

/// Folders, and prefixes of URLs. Everything, if there are none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roots {
    folders: Vec<PathBuf>,
    urls: Vec<ObjectUrl>,
}

impl Roots {
    /// Errors with [`Code::BadStoreOptions`] if one is a URL of no store.
    pub(crate) fn new(roots: &[PathBuf]) -> Result<Self> {
        let mut found = Self::default();
        for root in roots {
            match ObjectUrl::of(&root.to_string_lossy())? {
                Some(url) => {
                    found.urls.push(ObjectUrl { key: url.key.trim_end_matches('/').to_owned(), ..url });
                }
                None => found.folders.push(root.clone()),
            }
        }
        Ok(found)
    }

    /// Refuses a path outside. Links are followed first, so that none leads out.
    pub(crate) fn allow(&self, file: &Path) -> Result<()> {
        if self.is_everything() {
            return Ok(());
        }
        let whole = std::path::absolute(file).map_err(|error| unreadable(file, error))?;
        // What is not there yet would be made in the nearest folder that is.
        let real = whole.ancestors().find_map(|part| fs::canonicalize(part).ok());
        let inside = |root: &PathBuf| {
            fs::canonicalize(root).is_ok_and(|root| real.as_ref().is_some_and(|real| real.starts_with(root)))
        };
        if !file.components().any(|part| part == Component::ParentDir && !whole.exists())
            && self.folders.iter().any(inside)
        {
            return Ok(());
        }
        Err(self.outside(&file.display().to_string()))
    }

    /// Refuses an object outside, or a prefix of keys of which some might be.
    pub(crate) fn allow_url(&self, url: &ObjectUrl) -> Result<()> {
        let inside = |root: &ObjectUrl| {
            let rest = url.key.strip_prefix(&root.key);
            let is_below = |rest: &str| root.key.is_empty() || rest.is_empty() || rest.starts_with('/');
            url.bucket == root.bucket && rest.is_some_and(is_below)
        };
        let climbs = url.key.split('/').any(|part| part == "..");
        if self.is_everything() || (!climbs && self.urls.iter().any(inside)) {
            return Ok(());
        }
        Err(self.outside(&url.to_string()))
    }

    /// Whether a file of this name may be made.
    pub(crate) fn may_write(&self, name: &Path) -> Result<()> {
        if let Some(url) = ObjectUrl::of(&name.to_string_lossy())? {
            return self.allow_url(&url);
        }
        let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty());
        self.allow(folder.unwrap_or(Path::new(".")))
    }

    fn is_everything(&self) -> bool {
        self.folders.is_empty() && self.urls.is_empty()
    }

    fn outside(&self, name: &str) -> Error {
        let folders = self.folders.iter().map(|root| root.display().to_string());
        let allowed: Vec<String> = folders.chain(self.urls.iter().map(ToString::to_string)).collect();
        Error::new(Code::OutsideRoots, format!("{name} is outside of the allowed folders"))
            .checked(format!("allowed are {}", allowed.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(root: &str, url: &str) -> bool {
        let url = ObjectUrl::of(url).unwrap().unwrap();
        Roots::new(&[root.into()]).unwrap().allow_url(&url).is_ok()
    }

    #[test]
    fn a_root_ends_where_a_part_of_the_key_does() {
        for root in ["s3://b/reports", "s3://b/reports/"] {
            assert!(allows(root, "s3://b/reports/a.csv"));
            assert!(allows(root, "s3://b/reports"));
            for outside in ["s3://b/reports2/a.csv", "s3://b/a.csv", "s3://c/reports/a.csv", "s3://b/rep"] {
                assert!(!allows(root, outside), "{outside}");
            }
            assert!(!allows(root, "s3://b/reports/../a.csv"));
        }
        assert!(allows("s3://b", "s3://b/a.csv") && !allows("s3://b", "s3://bb/a.csv"));
    }

    #[test]
    fn a_root_of_one_kind_allows_nothing_of_the_other() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!allows(folder.path().to_str().unwrap(), "s3://b/a.csv"));
        let roots = Roots::new(&["s3://b".into()]).unwrap();
        assert_eq!(roots.allow(folder.path()).unwrap_err().code(), Code::OutsideRoots);
        assert!(roots.may_write(Path::new("s3://b/a.csv")).is_ok());
        assert!(roots.may_write(Path::new("a.csv")).is_err());
        assert!(Roots::default().may_write(Path::new("s3://b/a.csv")).is_ok());
    }
}
