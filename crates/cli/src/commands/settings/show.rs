use cardoon_errors::Result;
use cardoon_settings::Entry;

use crate::exit::Exit;
use crate::output::Table;
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Show where each value comes from
    #[arg(long)]
    origin: bool,
}

pub(crate) fn run(session: &Session, options: &Options) -> Result<Exit> {
    session.output.list(&session.settings.entries(), |entries| table(entries, options.origin))?;
    Ok(Exit::Done)
}

fn table(entries: &[Entry], with_origin: bool) -> Table {
    let columns = ["SETTING", "VALUE", if with_origin { "ORIGIN" } else { "MEANING" }];
    let mut table = Table::new(&columns);
    for entry in entries {
        let last = if with_origin { entry.origin.to_string() } else { entry.description.to_owned() };
        table.row([entry.name, &entry.value, &last]);
    }
    table
}
