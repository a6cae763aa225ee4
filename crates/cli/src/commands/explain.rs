use cardoon_errors::{Code, Error, Language, Result, page, title};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{Output, Table, clean};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The code, as an error shows it: CD1101
    code: Option<String>,
}

#[derive(Serialize)]
struct Explained {
    code: String,
    title: &'static str,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'static str>,
}

pub(crate) fn run(options: &Options, output: &Output) -> Result<Exit> {
    let language = output.language();
    if let Some(text) = &options.code {
        let explained = explained(read(text)?, language, true);
        output.one(&explained, |it| it.page.unwrap_or_default().trim_end().to_owned())?;
    } else {
        let all: Vec<_> = Code::ALL.iter().map(|code| explained(*code, language, false)).collect();
        output.list(&all, table)?;
    }
    Ok(Exit::Done)
}

fn read(text: &str) -> Result<Code> {
    text.parse().map_err(|()| {
        Error::new(Code::NoSuchCode, format!("no error has the code `{}`", clean(text)))
            .hint("all codes: cardoon explain")
    })
}

fn explained(code: Code, language: Language, with_page: bool) -> Explained {
    Explained {
        code: code.to_string(),
        title: title(code, language),
        kind: code.kind().to_string(),
        page: with_page.then(|| page(code, language)),
    }
}

fn table(all: &[Explained]) -> Table {
    let mut table = Table::new(&["CODE", "KIND", "MEANING"]);
    for it in all {
        table.row([&it.code, &it.kind, it.title]);
    }
    table
}
