use cardoon_admin::Known;
use cardoon_admin::view::TaskView;
use cardoon_broker::Place;
use cardoon_core::ResultRecord;
use cardoon_errors::{Language, Result};
use cardoon_protocol::{Limits, decode};
use cardoon_results::Reported;

use super::outcome::value_text;
use crate::exit::Exit;
use crate::input;
use crate::language::choose;
use crate::output::{clean, cut, labelled, local_time, word};
use crate::session::Session;

/// Longest argument, result or message that is shown to people.
const SHOWN: usize = 400;
/// Columns that the names of lines take.
const LABEL: usize = 9;

/// Makes a line of a name and a value.
type Field<'a> = &'a dyn Fn(&str, &str) -> String;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The task's id
    id: String,
}

/// What is known of a task, for people.
struct Shown {
    known: Known,
    limits: Limits,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let id = input::task_id(&options.id)?;
    let stores = session.connect_to_look().await?;
    let known = Known::of(&stores, &id).await?;
    stores.close().await;
    let limits = session.limits();
    let view = TaskView::of(&known, &limits);
    let shown = Shown { known, limits };
    session.output.one(&view, |_| shown.as_lines(session.language).join("\n"))?;
    Ok(Exit::Done)
}

impl Shown {
    fn as_lines(&self, language: Language) -> Vec<String> {
        let field = |name: &str, value: &str| labelled(language, name, LABEL, value);
        let mut lines = vec![
            field("id", self.known.id.as_str()),
            field("task", &cut(self.known.task(), SHOWN)),
            field("state", self.known.state().as_str()),
        ];
        lines.extend(self.argument_lines(&field));
        lines.extend(self.message_lines(language, &field));
        lines.extend(self.known.progress.as_ref().map(|reported| field("progress", &progress(reported))));
        lines.extend(self.known.found.record.iter().flat_map(|record| record_lines(record, &field)));
        if let Some(dead) = &self.known.found.dead {
            lines.push(field("dead", &format!("{}: {}", dead.reason, cut(&dead.detail, SHOWN))));
        }
        lines.extend(self.known.history.iter().map(|record| field("run", &run_text(record, language))));
        lines
    }

    fn argument_lines(&self, field: Field<'_>) -> Vec<String> {
        let message = self.known.message();
        let Some(incoming) = message.and_then(|message| decode(message, &self.limits).ok()) else {
            return Vec::new();
        };
        let shown = |bytes: &[u8]| cut(&String::from_utf8_lossy(bytes), SHOWN);
        vec![
            field("args", &shown(incoming.arguments.args())),
            field("kwargs", &shown(incoming.arguments.kwargs())),
        ]
    }

    fn message_lines(&self, language: Language, field: Field<'_>) -> Vec<String> {
        let Some((waiting, place)) = &self.known.found.message else { return Vec::new() };
        vec![
            field("queue", &clean(waiting.queue.as_str())),
            field("place", &place_text(place, language)),
            field("sent", &local_time(waiting.enqueued_at)),
        ]
    }
}

fn place_text(place: &Place, language: Language) -> String {
    let word = word(language, place_word(place));
    match place {
        Place::Ready => word.to_owned(),
        Place::Delayed { until } => {
            let until = local_time(*until);
            choose(language, format!("{word} until {until}"), format!("{word}到 {until}"))
        }
        Place::Held { worker, .. } => {
            let worker = cut(worker, SHOWN);
            choose(language, format!("{word} by {worker}"), format!("{word}，在 {worker} 上"))
        }
    }
}

fn progress(reported: &Reported) -> String {
    let progress = &reported.progress;
    let total = progress.total.map(|total| format!(" / {total}")).unwrap_or_default();
    format!("{}{total} {}", progress.done, cut(&progress.message, SHOWN))
}

fn record_lines(record: &ResultRecord, field: Field<'_>) -> Vec<String> {
    let mut lines = vec![field("ended", &local_time(record.finished_at))];
    if record.value.is_some() {
        lines.push(field("result", &cut(&value_text(record), SHOWN)));
    }
    if let Some(failure) = &record.failure {
        lines.push(field("failure", &cut(&failure.to_string(), SHOWN)));
        lines.extend(failure.details.lines().take(20).map(|line| field("", &cut(line, SHOWN))));
    }
    lines
}

fn run_text(record: &ResultRecord, language: Language) -> String {
    let failure = record.failure.as_ref().map(|failure| cut(&failure.to_string(), 80)).unwrap_or_default();
    let (run, attempt) = (record.run, record.attempt);
    let begin = choose(language, format!("{run} attempt {attempt}"), format!("{run} 尝试 {attempt}"));
    let (state, ended) = (record.state, local_time(record.finished_at));
    let line = format!("{begin} {state} {ended} {} {failure}", cut(&record.worker, 60));
    line.trim_end().to_owned()
}

fn place_word(place: &Place) -> &'static str {
    match place {
        Place::Ready => "ready",
        Place::Delayed { .. } => "delayed",
        Place::Held { .. } => "held",
    }
}
