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
