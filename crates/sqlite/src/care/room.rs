//! Whether the disk has room for what is about to be written.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Result};

use crate::failure;

/// Beyond what is computed, so that workers can go on: 16 MiB.
const SPARE: u64 = 16 * 1024 * 1024;

/// Fails with `CD1114` unless each of `needs`, a folder and bytes, fits; those on one file system are added up.
pub(super) fn require(needs: &[(&Path, u64)]) -> Result<()> {
    for (folder, _) in needs {
        let device = device(folder)?;
        let mut bytes = SPARE;
        for (other, more) in needs {
            if self::device(other)? == device {
                bytes = bytes.saturating_add(*more);
            }
        }
        let free = free(folder)?;
        if free < bytes {
            return Err(not_enough(folder, bytes, free));
        }
    }
    Ok(())
}

/// The folder in which SQLite makes its temporary files.
pub(super) fn temporary_folder() -> PathBuf {
    let named = ["SQLITE_TMPDIR", "TMPDIR"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let usual = ["/var/tmp", "/usr/tmp", "/tmp"].into_iter().map(PathBuf::from);
    let is_writable = |folder: &PathBuf| {
        folder.is_dir() && rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
    };
    named.chain(usual).find(is_writable).unwrap_or_else(|| PathBuf::from("."))
}

fn device(folder: &Path) -> Result<u64> {
    folder.metadata().map(|found| found.dev()).map_err(|error| failure::of_file(error, folder, "read"))
}

fn free(folder: &Path) -> Result<u64> {
    let found =
        rustix::fs::statvfs(folder).map_err(|error| failure::of_file(error.into(), folder, "read"))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

fn not_enough(folder: &Path, bytes: u64, free: u64) -> Error {
    let mebibytes = |bytes: u64| bytes.div_ceil(1024 * 1024);
    Error::new(Code::NotEnoughRoom, format!("{} has not enough room", folder.display()))
        .checked(format!("needed: {} MiB", mebibytes(bytes)))
        .checked(format!("free: {} MiB", mebibytes(free)))
        .hint(format!("free space there, or look what takes it: df -h {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_only_singly_does_not_fit_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        require(&[(path, 1024), (path, 1024)]).unwrap();
        let most = free(path).unwrap() / 3 * 2;
        require(&[(path, most)]).unwrap();
        let error = require(&[(path, most), (path, most)]).unwrap_err();
        assert_eq!(error.code(), Code::NotEnoughRoom);
        assert!(error.findings()[0].starts_with("needed: "), "{error:?}");
    }
}
