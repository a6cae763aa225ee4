use std::fs;
use std::io::Result;
use std::path::Path;

use tempfile::{Builder, TempDir};

/// A new folder in the one that is given, or in the system's for temporary files, which is removed with what is answered. No
/// other user may look into it: what executors produce are rows.
pub fn private_folder(within: Option<&Path>, prefix: &str) -> Result<TempDir> {
    let mut name = Builder::new();
    name.prefix(prefix);
    #[cfg(unix)]
    name.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    match within {
        Some(within) => fs::create_dir_all(within).and_then(|()| name.tempdir_in(within)),
        None => name.tempdir(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn nobody_else_looks_into_it() {
        let home = tempfile::tempdir().unwrap();
        let within = home.path().join("made/when/needed");
        let folder = private_folder(Some(&within), "test-").unwrap();
        assert!(folder.path().starts_with(within));
        assert_eq!(folder.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
