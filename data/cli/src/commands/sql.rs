use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use cardoon_engine::{Engine, Output};
use cardoon_errors::{Code, Error, Result};
use cardoon_frame::{BadRows, Frame, Kind};

use super::options::{Place, Resources};
use crate::progress::{self, Shown};
use crate::rows::{self, Form};
use crate::talk;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The query; - reads it from standard input
    query: String,
    /// How rows are written to standard output
    #[arg(short, long, value_enum, default_value = "table")]
    output: Form,
    /// Write the rows to this file or s3:// URL instead: .csv, .json, .jsonl or .parquet
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    out: Option<PathBuf>,
    /// Show how the query would be carried out, and do not
    #[arg(long)]
    explain: bool,
    /// CSV: what a column holds, instead of what its samples suggest: --type zip=text
    #[arg(long = "type", value_name = "COLUMN=KIND", value_parser = kind)]
    kinds: Vec<(String, Kind)>,
    /// CSV: what stands between two fields [default: a comma, a tab in .tsv]
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<char>,
    /// CSV: the first row is data, and columns are called 0, 1 and so on
    #[arg(long)]
    no_header: bool,
    /// CSV: what becomes of rows that cannot be read
    #[arg(long, value_enum, default_value = "fail")]
    bad_rows: OnBadRow,
    #[command(flatten)]
    resources: Resources,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OnBadRow {
    /// The query fails and names the row
    Fail,
    /// They are left out and counted
    Skip,
}

pub(crate) async fn run(options: Options) -> Result<()> {
    let engine = Arc::new(options.place.engine(settings(&options)).await?);
    let frame = Frame::sql(query(&options.query)?);
    if options.explain {
        return rows::text(&engine.explain(&frame).await?);
    }
    progress::follow(&engine, async |shown| carry_out(&engine, &frame, &options, shown).await).await
}

async fn carry_out(engine: &Engine, frame: &Frame, options: &Options, shown: &Shown) -> Result<()> {
    let Some(path) = &options.out else {
        let mut rows = engine.run(frame).await?;
        // Rows and bars on one terminal would write over each other.
        if std::io::stdout().is_terminal() {
            shown.end();
        }
        return rows::print(&mut rows, options.output).await;
    };
    let summary = engine.write(frame, &Output::named(path)?).await?;
    shown.end();
    let (rows, path) = (summary.rows, path.display());
    talk::say(format!("{rows} rows written to {path}"), format!("已将 {rows} 行写入 {path}"));
    Ok(())
}

fn settings(options: &Options) -> cardoon_engine::Settings {
    let mut settings = options.resources.settings();
    settings.csv.kinds = options.kinds.iter().cloned().collect::<BTreeMap<_, _>>();
    settings.csv.delimiter = options.delimiter;
    settings.csv.header = !options.no_header;
    settings.csv.bad_rows = match options.bad_rows {
        OnBadRow::Fail => BadRows::Fail,
        OnBadRow::Skip => BadRows::Skip,
    };
    settings
}

fn query(text: &str) -> Result<String> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut query = String::new();
    std::io::stdin().read_to_string(&mut query).map_err(|error| {
        Error::new(Code::BadInput, "the query cannot be read from standard input").source(error)
    })?;
    Ok(query)
}

fn kind(text: &str) -> Result<(String, Kind), String> {
    let forms = "a kind is given as COLUMN=boolean|integer|float|date|timestamp|text";
    let (column, kind) = text.rsplit_once('=').ok_or(forms)?;
    let kind = match kind {
        "boolean" => Kind::Boolean,
        "integer" => Kind::Integer,
        "float" => Kind::Float,
        "date" => Kind::Date,
        "timestamp" => Kind::Timestamp,
        "text" => Kind::Text,
        _ => return Err(forms.to_owned()),
    };
    Ok((column.to_owned(), kind))
}
