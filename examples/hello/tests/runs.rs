//! The example does what it says.

use std::process::Command;

#[test]
fn the_greeting_comes_back_from_the_worker() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("hello.db").display());
    let output = Command::new(env!("CARGO_BIN_EXE_hello")).arg(&url).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello, world\n");
}

#[test]
fn the_settings_of_the_folder_count_for_a_program_that_names_its_database() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cardoon.toml"), "[limits]\nmessage_size = \"10B\"\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hello")).current_dir(&folder).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("CD2002"), "{output:?}");
}

#[test]
fn settings_that_cannot_be_read_stop_a_program_as_they_stop_the_command() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cardoon.toml"), "[worker]\nconcurency = 2\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hello")).current_dir(&folder).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("CD4001"), "{output:?}");
}
