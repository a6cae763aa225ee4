use cardoon_broker::Place;
use cardoon_core::{ResultRecord, TaskId};
use cardoon_errors::{Language, Result};
use cardoon_protocol::{Limits, decode};
use cardoon_results::Reported;
use serde_json::{Value, json};

use super::outcome::{Outcome, value_text};
use crate::exit::Exit;
use crate::input;
use crate::language::choose;
use crate::output::{clean, cut, labelled, local_time, rfc3339, word};
use crate::session::Session;
use crate::tasks::Whereabouts;

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

/// All that is known of a task.
struct Known {
    id: TaskId,
    found: Whereabouts,
    history: Vec<ResultRecord>,
    progress: Option<Reported>,
    limits: Limits,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let id = input::task_id(&options.id)?;
    let stores = session.connect_to_look().await?;
    let found = Whereabouts::of(&stores, &id).await?.or_unknown(&stores, &id)?;
    let history = stores.results.history(&id).await?;
    let progress = stores.results.progress(&id).await?;
    stores.close().await;
    let known = Known { id, found, history, progress, limits: session.limits() };
    let language = session.language;
    session.output.one(&known.as_json(), |_| known.as_lines(language).join("\n"))?;
    Ok(Exit::Done)
}

impl Known {
    fn as_json(&self) -> Value {
        let message = self.found.message.as_ref().map(|(waiting, place)| {
            json!({
                "place": place_word(place),
                "queue": waiting.queue,
                "task": waiting.message.task,
                "attempt": waiting.message.attempt,
                "enqueued_at": rfc3339(waiting.enqueued_at),
                "until": until(place).map(rfc3339),
                "worker": holder(place),
                "deaths": waiting.deaths,
            })
        });
        let dead = self.found.dead.as_ref().map(
            |dead| json!({ "reason": dead.reason, "detail": dead.detail, "died_at": rfc3339(dead.died_at) }),
        );
        let progress = self.progress.as_ref().map(|reported| json!(reported.progress));
        json!({
            "id": self.id,
            "task": self.task(),
            "state": self.state(),
            "record": self.found.record.as_ref().map(Outcome::of),
            "message": message,
            "dead": dead,
            "progress": progress,
            "history": self.history.iter().map(Outcome::of).collect::<Vec<_>>(),
        })
    }

    fn as_lines(&self, language: Language) -> Vec<String> {
        let field = |name: &str, value: &str| labelled(language, name, LABEL, value);
        let mut lines = vec![
            field("id", self.id.as_str()),
            field("task", &cut(self.task(), SHOWN)),
            field("state", self.state()),
        ];
        lines.extend(self.argument_lines(&field));
        lines.extend(self.message_lines(language, &field));
        lines.extend(self.progress.as_ref().map(|reported| field("progress", &progress(reported))));
        lines.extend(self.found.record.iter().flat_map(|record| record_lines(record, &field)));
        if let Some(dead) = &self.found.dead {
            lines.push(field("dead", &format!("{}: {}", dead.reason, cut(&dead.detail, SHOWN))));
        }
        lines.extend(self.history.iter().map(|record| field("run", &run_text(record, language))));
        lines
    }

    fn task(&self) -> &str {
        let of_message = self.found.message.as_ref().map(|(waiting, _)| waiting.message.task.as_str());
        let of_record = self.found.record.as_ref().map(|record| record.task.as_str());
        let of_dead = self.found.dead.as_ref().map(|dead| dead.message.task.as_str());
        of_message.or(of_record).or(of_dead).unwrap_or_default()
    }

    fn state(&self) -> &'static str {
        match (&self.found.message, &self.found.record) {
            (_, Some(record)) if record.state.is_final() => record.state.as_str(),
            (Some((_, Place::Held { started: true, .. })), _) => "STARTED",
            (Some((_, Place::Held { started: false, .. })), _) => "RECEIVED",
            (_, Some(record)) => record.state.as_str(),
            (Some(_), None) => "PENDING",
            (None, None) => "FAILURE",
        }
    }

    fn argument_lines(&self, field: Field<'_>) -> Vec<String> {
        let of_message = self.found.message.as_ref().map(|(waiting, _)| &waiting.message);
        let message = of_message.or(self.found.dead.as_ref().map(|dead| &dead.message));
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
        let Some((waiting, place)) = &self.found.message else { return Vec::new() };
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

fn until(place: &Place) -> Option<cardoon_core::Timestamp> {
    match place {
        Place::Delayed { until } => Some(*until),
        Place::Ready | Place::Held { .. } => None,
    }
}

fn holder(place: &Place) -> Option<&str> {
    match place {
        Place::Held { worker, .. } => Some(worker),
        Place::Ready | Place::Delayed { .. } => None,
    }
}
