use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use cardoon_errors::{Code, Error, Language, Result};

use crate::exit::Exit;

/// The program that has the query engine. It is one of its own, so that nobody who sends mails has to build it.
const PROGRAM: &str = "cardoon-data";

#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// What the program for data is to do; --help tells what it can
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

pub(crate) fn run(options: &Options, language: Language) -> Result<Exit> {
    let program = find()?;
    let mut command = Command::new(&program);
    command.args(&options.words);
    if language != Language::of_environment() {
        command.env("LC_ALL", language.choose("C", "zh_CN.UTF-8"));
    }
    replace(command, &program)
}

/// Beside this program, else on the path.
fn find() -> Result<PathBuf> {
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let own = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.to_owned()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = own.into_iter().chain(std::env::split_paths(&path));
    folders.find_map(|folder| Some(folder.join(&name)).filter(|file| file.is_file())).ok_or_else(|| {
        Error::new(Code::NoDataProgram, format!("the program {PROGRAM} is not installed"))
            .checked("the folder of this program, and those of PATH")
            .hint("cargo install --path data/cli, from the checkout")
    })
}

/// The process becomes that program, so that signals reach it and its exit status is ours.
#[cfg(unix)]
fn replace(mut command: Command, program: &Path) -> Result<Exit> {
    use std::os::unix::process::CommandExt as _;
    Err(cannot_start(command.exec(), program))
}

#[cfg(not(unix))]
fn replace(mut command: Command, program: &Path) -> Result<Exit> {
    let status = command.status().map_err(|error| cannot_start(error, program))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(Exit::Failed, |code| if code == 0 { Exit::Done } else { Exit::Found(code) }))
}

fn cannot_start(error: std::io::Error, program: &Path) -> Error {
    Error::new(Code::NoDataProgram, format!("{} cannot be started", program.display())).source(error)
}
