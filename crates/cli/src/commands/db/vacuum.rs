use std::path::Path;

use cardoon_connect::care::{self, Space, VacuumReport};
use cardoon_errors::{Language, Result};
use serde::Serialize;

use super::sizes::{self, shown};
use crate::exit::Exit;
use crate::output::{Table, word};
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only empty the write-ahead log
    #[arg(long, conflicts_with = "full")]
    wal: bool,
    /// Rewrite the whole file; workers wait meanwhile
    #[arg(long)]
    full: bool,
}

#[derive(Serialize)]
struct Item {
    database: String,
    before: sizes::Item,
    after: sizes::Item,
}

pub(super) async fn run(session: &Session, path: &Path, options: &Options) -> Result<Exit> {
    let report = care::vacuum(path, options.space()).await?;
    let item = Item {
        database: report.path.display().to_string(),
        before: sizes::Item::of(&report.before),
        after: sizes::Item::of(&report.after),
    };
    session.output.one(&item, |_| table(&report, session.language).render(session.language))?;
    Ok(Exit::Done)
}

impl Options {
    fn space(&self) -> Space {
        match (self.wal, self.full) {
            (true, _) => Space::Log,
            (false, true) => Space::All,
            (false, false) => Space::Free,
        }
    }
}

fn table(report: &VacuumReport, language: Language) -> Table {
    let mut table = Table::new(&["", "FILE", "FREE", "LOG"]).right(1).right(2).right(3);
    for (when, sizes) in [("before", report.before), ("after", report.after)] {
        table.row([word(language, when).to_owned(), shown(sizes.file), shown(sizes.free), shown(sizes.log)]);
    }
    table
}
