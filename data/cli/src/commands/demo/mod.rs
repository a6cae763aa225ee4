mod logs;

use cardoon_errors::Result;

use crate::processes::Program;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Demo {
    /// Count what each user did, over a folder of logs: on one thread, on all, and on a cluster of processes
    Logs(logs::Options),
}

impl Demo {
    pub(crate) async fn run(self, program: Program) -> Result<()> {
        match self {
            Self::Logs(options) => logs::run(options, program).await,
        }
    }
}
