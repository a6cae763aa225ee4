mod logs;

use cardoon_errors::Result;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Demo {
    /// Count what each user did, over a folder of logs: on one thread and on all
    Logs(logs::Options),
}

impl Demo {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::Logs(options) => logs::run(options).await,
        }
    }
}
