use cardoon_errors::{Code, Error, Result};
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::output::Output;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(options: &Options, output: &Output) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "cardoon", &mut script);
    let script = String::from_utf8(script)
        .map_err(|error| Error::new(Code::Internal, "the completions are no text").source(error))?;
    output.line(script.trim_end())?;
    Ok(Exit::Done)
}
