use cardoon_admin::explain::{Explained, all, explain};
use cardoon_errors::Result;

use crate::exit::Exit;
use crate::output::{Output, Table};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The code, as an error shows it: CD1101
    code: Option<String>,
}

pub(crate) fn run(options: &Options, output: &Output) -> Result<Exit> {
    let language = output.language();
    match &options.code {
        Some(code) => {
            let explained = explain(code, language)?;
            output.one(&explained, |it| it.page.unwrap_or_default().trim_end().to_owned())?;
        }
        None => output.list(&all(language), table)?,
    }
    Ok(Exit::Done)
}

fn table(all: &[Explained]) -> Table {
    let mut table = Table::new(&["CODE", "KIND", "MEANING"]);
    for it in all {
        table.row([&it.code, &it.kind, it.title]);
    }
    table
}
