//! The program behind `cardoon data`.

use std::process::ExitCode;

use cardoon_data::Program;

fn main() -> ExitCode {
    ExitCode::from(cardoon_data::run(Program::of_this(), std::env::args_os().skip(1)))
}
