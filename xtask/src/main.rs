//! Development commands, run as `cargo xtask COMMAND`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "these commands talk to people")]

mod bench;
mod depcheck;
mod environments;
mod python;
mod repository;
mod run;
mod setup;
mod soak;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup [--yes]         install what the tests need and this machine lacks
  test [--yes] [ARGS]   setup, then every test; ARGS go to `cargo test`
  python [ARGS]         build the wheel, install it for the tests and run those of Python; ARGS go to pytest
  python-data [ARGS]    the same of the distribution for data
  bench tasks [ARGS]    measure, and write docs/benchmarks.md; ARGS: --broker redis, --python or --gateway
  bench data [ARGS]     the same of queries over files, beside other engines; ARGS: --gb, --runs, --only, --keep
  soak [ARGS]           the fault drills at their full counts, and write docs/reliability.md
  tidy [--update]       check the rules of the house; --update lowers the list of long functions
  depcheck              check who depends on whom, and the licences of what we depend on

Builds go to $CARGO_TARGET_DIR, by default the folder cardoon/target in the user's cache.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<()> {
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", args),
    };
    match command {
        "setup" => setup::setup(rest),
        "test" => test::test(rest),
        "python" => python::test(rest),
        "python-data" => python::test_data(rest),
        "bench" => bench::bench(rest),
        "soak" => soak::soak(rest),
        "tidy" => tidy::tidy(rest),
        "depcheck" => depcheck::depcheck(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        unknown => anyhow::bail!("there is no command {unknown:?}\n\n{USAGE}"),
    }
}
