//! The database file.

use std::path::Path;

use cardoon_errors::{Code, Severity};
use cardoon_testkit::TempDir;

use crate::support::{bad, findings, of, send, stores, the_error};

/// The URL of a database with one task, which nobody has open, and its path.
async fn closed() -> (TempDir, String, std::path::PathBuf) {
    let folder = cardoon_testkit::folder().unwrap();
    let path = folder.path().join("tasks.db");
    let url = format!("sqlite:{}", path.display());
    let stores = stores(&url).await;
    send(&stores, "a", None).await;
    stores.broker.close(std::time::Duration::from_secs(20)).await.unwrap();
    drop(stores);
    (folder, url, path)
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_missing_is_not_made() {
    let folder = cardoon_testkit::folder().unwrap();
    let url = format!("sqlite:{}", folder.path().join("new/tasks.db").display());
    let found = findings(&url).await;
    assert_eq!(bad(&found), [("file", Code::NoDatabase, Severity::Warning)]);
    assert!(names(folder.path()).is_empty());
    let url = format!("sqlite:{}", folder.path().join("no/such/tasks.db").display());
    let (check, code, _) = the_error(&findings(&url).await);
    assert_eq!((check, code), ("folder", Code::CannotOpenFile));
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_changes_no_database() {
    let (folder, url, path) = closed().await;
    let (before, there) = (std::fs::read(&path).unwrap(), names(folder.path()));
    let found = findings(&url).await;
    assert_eq!(of(&found, "integrity").severity(), Severity::Fine, "{found:#?}");
    assert!(std::fs::read(&path).unwrap() == before, "the file is another one");
    assert_eq!(names(folder.path()), there);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_somebody_else_is_named() {
    let folder = cardoon_testkit::folder().unwrap();
    let path = folder.path().join("notes.db");
    std::fs::write(&path, "no database, but long enough to have a header\n".repeat(100)).unwrap();
    let (check, code, _) = the_error(&findings(&format!("sqlite:{}", path.display())).await);
    assert_eq!((check, code), ("owner", Code::NotOurDatabase));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_layout_is_named() {
    let (_folder, url, path) = closed().await;
    let mut bytes = std::fs::read(&path).unwrap();
    // The header's `user_version`.
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
    let (check, code, _) = the_error(&findings(&url).await);
    assert_eq!((check, code), ("owner", Code::NewerLayout));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named() {
    let (_folder, url, path) = closed().await;
    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let found = findings(&url).await;
    assert!(bad(&found).contains(&("integrity", Code::Corrupt, Severity::Error)), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_the_place_of_the_file_is_named() {
    let folder = cardoon_testkit::folder().unwrap();
    let (check, code, _) = the_error(&findings(&format!("sqlite:{}", folder.path().display())).await);
    assert_eq!((check, code), ("file", Code::CannotOpenFile));
}
