use std::ffi::OsString;
use std::path::PathBuf;

/// How a command that did its part ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    /// It did some of what was asked and said what not.
    Partly,
    /// Something that it reported on has failed.
    Failed,
    NotFound,
    /// What was asked for makes no sense, which was said.
    Wrong,
    /// The application could not be imported, which was said.
    NotImported,
    Interrupted,
    /// A signal of this number ended it before it was done.
    Signalled(u8),
    /// It found errors; the status of the first.
    Found(u8),
    /// The process is to be replaced by a fresh one of the same command line.
    Replace,
}

impl Exit {
    /// Ends the process's work: its status, or its successor.
    pub(crate) fn finish(self, origin: &Origin<'_>) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Wrong => 2,
            Self::NotFound => 4,
            Self::Partly => 5,
            Self::NotImported => 6,
            Self::Interrupted => 130,
            Self::Signalled(number) => 128 + number,
            Self::Found(status) => status,
            Self::Replace => {
                replace_process(origin);
                1
            }
        }
    }
}

/// How this process came to be, so that another one can come to be so.
pub(crate) struct Origin<'a> {
    /// The command line, whose first word is the program's name.
    pub(crate) words: &'a [OsString],
    /// The interpreter that runs the program, if one does.
    pub(crate) python: Option<OsString>,
    /// Where it was started; options may name folders from there.
    pub(crate) folder: Option<PathBuf>,
}

/// Returns only if that fails.
#[cfg(unix)]
fn replace_process(origin: &Origin<'_>) {
    use std::os::unix::process::CommandExt as _;
    let mut command = command(origin);
    command.args(origin.words.iter().skip(1));
    if let Some(folder) = &origin.folder {
        command.current_dir(folder);
    }
    let error = command.exec();
    tracing::error!(%error, "cannot replace this process");
}

/// The file that is executed now may be an interpreter without its virtual environment.
#[cfg(unix)]
fn command(origin: &Origin<'_>) -> std::process::Command {
    if let Some(python) = &origin.python {
        let mut command = std::process::Command::new(python);
        command.args(["-m", "cardoon"]);
        return command;
    }
    let called_as = || origin.words.first().map(PathBuf::from).unwrap_or_default();
    let program = std::env::current_exe().ok().filter(|path| path.is_file());
    std::process::Command::new(program.unwrap_or_else(called_as))
}

#[cfg(not(unix))]
fn replace_process(_origin: &Origin<'_>) {
    tracing::error!("this platform cannot replace a process; please start the worker again");
}
