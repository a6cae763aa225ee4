use cardoon_errors::{Code, Language, Result, phrase};
use cardoon_settings::Entry;

use super::meanings;
use crate::exit::Exit;
use crate::output::Table;
use crate::session::Session;
use crate::stores::Urls;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Show where each value comes from
    #[arg(long)]
    origin: bool,
}

pub(crate) fn run(session: &Session, options: &Options) -> Result<Exit> {
    let language = session.language;
    tell_database(session);
    session.output.list(&session.settings.entries(), |entries| table(entries, options.origin, language))?;
    Ok(Exit::Done)
}

/// Names the database that `none` stands for. A URL that cannot be used is no reason to hide the settings.
fn tell_database(session: &Session) {
    let Ok(urls) = Urls::of(&session.settings) else { return };
    let shown = urls.shown();
    let (english, chinese) = match urls.missing_file() {
        Some(_) => (" (not made yet)", "（尚未创建）"),
        None => ("", ""),
    };
    session.talk.say(format!("database  {shown}{english}"), format!("数据库  {shown}{chinese}"));
}

fn table(entries: &[Entry], with_origin: bool, language: Language) -> Table {
    let columns = ["SETTING", "VALUE", if with_origin { "ORIGIN" } else { "MEANING" }];
    let mut table = Table::new(&columns).whole();
    for entry in entries {
        let last = if with_origin {
            let origin = entry.origin.to_string();
            phrase(Code::BadSetting, language, &origin).unwrap_or(origin)
        } else {
            meanings::of(entry, language).to_owned()
        };
        table.row([entry.name, &entry.value, &last]);
    }
    table
}
