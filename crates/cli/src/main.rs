use std::process::ExitCode;

fn main() -> ExitCode {
    cardoon_cli::main()
}
