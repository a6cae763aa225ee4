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
    /// The process is to be replaced by a fresh one of the same command line.
    Replace,
}

impl Exit {
    /// Ends the process's work: its status, or its successor.
    pub(crate) fn finish(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Wrong => 2,
            Self::NotFound => 4,
            Self::Partly => 5,
            Self::NotImported => 6,
            Self::Interrupted => 130,
            Self::Replace => {
                replace_process();
                1
            }
        }
    }
}

/// Returns only if that fails.
#[cfg(unix)]
fn replace_process() {
    use std::os::unix::process::CommandExt as _;
    let mut arguments = std::env::args_os();
    let called_as = arguments.next().unwrap_or_default();
    let program = std::env::current_exe().ok().filter(|path| path.is_file());
    let error =
        std::process::Command::new(program.unwrap_or_else(|| called_as.into())).args(arguments).exec();
    tracing::error!(%error, "cannot replace this process");
}

#[cfg(not(unix))]
fn replace_process() {
    tracing::error!("this platform cannot replace a process; please start the worker again");
}
