use std::path::{Path, PathBuf};

use cardoon_connect::care::{self, BackupReport, Messages};
use cardoon_errors::Result;
use serde::Serialize;

use super::sizes::shown;
use crate::exit::Exit;
use crate::output::clean;
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where the copy goes
    file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct Item {
    file: String,
    bytes: u64,
    ready: u64,
    delayed: u64,
    dead: u64,
    put_back: u64,
}

pub(super) async fn run(session: &Session, path: &Path, options: &Options) -> Result<Exit> {
    let report = care::backup(path, &options.file, options.yes, &session.clock).await?;
    let (size, put_back) = (shown(report.bytes), report.put_back);
    session.talk.say(
        format!("copied {size}; {put_back} held by workers are ready in the copy"),
        format!("已复制 {size}；worker 取走的 {put_back} 条消息在副本里是就绪状态"),
    );
    session.output.one(&Item::of(&report), |item| clean(&item.file))?;
    Ok(Exit::Done)
}

impl Item {
    fn of(report: &BackupReport) -> Self {
        let Messages { ready, delayed, dead, .. } = report.messages;
        let (bytes, put_back) = (report.bytes, report.put_back);
        Self { file: report.path.display().to_string(), bytes, ready, delayed, dead, put_back }
    }
}
