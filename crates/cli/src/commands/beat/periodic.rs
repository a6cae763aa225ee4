use std::collections::BTreeSet;
use std::sync::Arc;

use cardoon_core::QueueName;
use cardoon_errors::{Code, Error, Result};
use cardoon_scheduler::{CatchUp, Entry, Schedule, Zone};

use super::call::Call;
use super::said::{Said, SaidEntry};

/// The periodic tasks of an application, checked.
#[derive(Debug, Clone)]
pub(super) struct Periodic {
    /// The application's name, which is part of the ids of ticks.
    pub(super) app: String,
    pub(super) entries: Vec<Entry<Arc<Call>>>,
    /// Why others cannot be sent.
    pub(super) problems: Vec<Error>,
}

impl Periodic {
    /// Reads what the application named `app` says. `tasks` are those it has; `queue` is that of tasks which name none.
    ///
    /// # Errors
    ///
    /// `CD4002` for a time zone that nobody has. An entry that cannot be read is one of [`Self::problems`].
    pub(super) fn read(app: &str, said: &Said, tasks: &BTreeSet<&str>, queue: Option<&str>) -> Result<Self> {
        let zone = said.timezone.as_deref().map_or_else(|| Ok(Zone::utc()), Zone::named)?;
        let queue = queue.and_then(|name| QueueName::new(name).ok()).unwrap_or_default();
        let mut periodic = Self { app: app.to_owned(), entries: Vec::new(), problems: Vec::new() };
        for entry in &said.entries {
            match read_entry(entry, &zone, &queue) {
                Ok(read) => periodic.entries.push(read),
                Err(error) => periodic.problems.push(naming(&entry.name, &error)),
            }
            if entry.problem.is_none() && !tasks.contains(entry.task.as_str()) {
                let (name, task) = (entry.name.as_str(), entry.task.as_str());
                tracing::warn!(
                    name,
                    task,
                    "a periodic task is none of this application, and is sent for others"
                );
            }
        }
        Ok(periodic)
    }
}

fn read_entry(said: &SaidEntry, zone: &Zone, queue: &QueueName) -> Result<Entry<Arc<Call>>> {
    if let Some(problem) = &said.problem {
        return Err(Error::new(Code::BadSetting, problem));
    }
    let schedule: Schedule = serde_json::from_value(said.schedule.clone())
        .map_err(|error| Error::new(Code::BadSetting, error.to_string()))?;
    Ok(Entry {
        name: said.name.clone(),
        schedule,
        zone: zone.clone(),
        catch_up: CatchUp::Latest,
        task: Arc::new(Call::read(said, queue)?),
    })
}

/// `error` with the name of its entry in front.
fn naming(entry: &str, error: &Error) -> Error {
    let message = format!("periodic task `{}`: {}", entry.escape_debug(), error.message());
    let named = error.findings().iter().fold(Error::new(error.code(), message), Error::checked);
    match error.next_step() {
        Some(hint) => named.hint(hint),
        None => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(entries: &serde_json::Value) -> Result<Periodic> {
        let said: Said =
            serde_json::from_value(json!({ "timezone": "Europe/Berlin", "entries": entries })).unwrap();
        Periodic::read("shop", &said, &BTreeSet::from(["shop.tidy", "shop.mail"]), Some("usual"))
    }

    #[test]
    fn entries_have_the_time_zone_and_the_queue_of_their_application() {
        let periodic = read(&json!([
            { "name": "tidy", "task": "shop.tidy", "schedule": { "every": 30.0 }, "args": "[]", "kwargs": "{}" },
            { "name": "mail", "task": "shop.mail", "schedule": { "crontab": "0 7 * * *" }, "args": "[]",
              "kwargs": "{}", "options": { "queue": "mails" } },
        ]))
        .unwrap();
        assert_eq!(periodic.app, "shop");
        let queues: Vec<_> = periodic.entries.iter().map(|entry| entry.task.queue().as_str()).collect();
        assert_eq!(queues, ["usual", "mails"]);
        assert!(periodic.entries.iter().all(|entry| entry.zone.name() == "Europe/Berlin"));
    }

    #[test]
    fn an_entry_that_cannot_be_sent_is_named() {
        let of = |entry: serde_json::Value| {
            let sound = json!({ "name": "z", "task": "other.task", "schedule": { "every": 1 }, "args": "[]", "kwargs": "{}" });
            let periodic = read(&json!([entry, sound])).unwrap();
            assert_eq!(periodic.entries.len(), 1, "the others are sent, also those of other programs");
            let [error] = &periodic.problems[..] else { panic!("{:?}", periodic.problems) };
            (error.code(), error.message().to_owned())
        };
        let (code, message) =
            of(json!({ "name": "b", "task": "shop.tidy", "schedule": { "crontab": { "minute": "61" } } }));
        assert_eq!(code, Code::BadSetting);
        assert!(message.starts_with("periodic task `b`: cannot read `61` for minute"), "{message}");
        let (_, message) = of(json!({ "name": "c", "problem": "'x' is no schedule" }));
        assert_eq!(message, "periodic task `c`: 'x' is no schedule");
    }

    #[test]
    fn a_time_zone_that_nobody_has_is_refused() {
        let said: Said = serde_json::from_value(json!({ "timezone": "Europe/Berlln" })).unwrap();
        let error = Periodic::read("shop", &said, &BTreeSet::new(), None).unwrap_err();
        assert_eq!(error.message(), "cannot read `Europe/Berlln` for time zone");
    }
}
