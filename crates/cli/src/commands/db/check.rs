use std::path::Path;

use cardoon_connect::care::{self, CheckReport, Finding, Messages};
use cardoon_errors::{Language, Result, phrase};
use serde::Serialize;

use super::sizes::{self, shown};
use crate::exit::Exit;
use crate::language::choose;
use crate::output::{clean, labelled};
use crate::session::Session;

/// The column of the values.
const WIDTH: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Compare every index with its table too, which takes several times as long
    #[arg(long)]
    full: bool,
}

#[derive(Serialize)]
struct Item {
    database: String,
    sound: bool,
    layout: i32,
    #[serde(flatten)]
    sizes: sizes::Item,
    ready: u64,
    delayed: u64,
    held: u64,
    dead: u64,
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    code: String,
    what: String,
    rows: Option<u64>,
    example: Option<String>,
}

pub(super) async fn run(session: &Session, path: &Path, options: &Options) -> Result<Exit> {
    let report = care::check(path, options.full).await?;
    session.output.one(&Item::of(&report), |_| text(&report, session.language))?;
    Ok(if report.findings.is_empty() { Exit::Done } else { Exit::Failed })
}

impl Item {
    fn of(report: &CheckReport) -> Self {
        let Messages { ready, delayed, held, dead } = report.messages;
        let found = |finding: &Finding| Found {
            code: finding.code.to_string(),
            what: finding.what.clone(),
            rows: finding.rows,
            example: finding.example.clone(),
        };
        Self {
            database: report.path.display().to_string(),
            sound: report.findings.is_empty(),
            layout: report.layout,
            sizes: sizes::Item::of(&report.sizes),
            ready,
            delayed,
            held,
            dead,
            findings: report.findings.iter().map(found).collect(),
        }
    }
}

fn text(report: &CheckReport, language: Language) -> String {
    let line = |label: &'static str, value: String| labelled(language, label, WIDTH, &value);
    let (sizes, messages) = (&report.sizes, &report.messages);
    let mut lines = vec![
        line("database", clean(&report.path.display().to_string())),
        line("layout", report.layout.to_string()),
        line("file", shown(sizes.file)),
        line("free", shown(sizes.free)),
        line("log", shown(sizes.log)),
        line("ready", messages.ready.to_string()),
        line("delayed", messages.delayed.to_string()),
        line("held", messages.held.to_string()),
        line("dead", messages.dead.to_string()),
    ];
    lines.extend(report.findings.iter().map(|finding| sentence(finding, language)));
    if report.findings.is_empty() {
        lines.push(line("verdict", choose(language, "sound", "完好").to_owned()));
    }
    lines.join("\n")
}

/// A finding in one line.
fn sentence(finding: &Finding, language: Language) -> String {
    let what = phrase(finding.code, language, &finding.what).unwrap_or_else(|| clean(&finding.what));
    let rows = finding.rows.map(|rows| format!("{rows} ")).unwrap_or_default();
    let example = finding.example.as_deref().map(|example| {
        let example = clean(example);
        choose(language, format!(" (such as {example})"), format!("（例如 {example}）"))
    });
    format!("{}: {rows}{what}{}", finding.code, example.unwrap_or_default())
}
