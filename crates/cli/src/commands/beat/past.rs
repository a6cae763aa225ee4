//! The file that says which ticks are past, so that those are made up for that came while no scheduler ran.
//!
//! It is a help and no more: what it says too little is sent again, under ids that the store knows. Several schedulers may
//! share a file; each adds what it knows.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use cardoon_core::Timestamp;
use cardoon_errors::{Code, Error, Result};
use cardoon_scheduler::{Entry, Schedule};
use serde::{Deserialize, Serialize};

/// The file of one application.
#[derive(Debug, Clone)]
pub(super) struct Past {
    path: PathBuf,
    app: String,
}

/// By the names of entries: the ticks up to which theirs are past.
pub(super) type Ticks = BTreeMap<String, Kept>;

/// An entry whose schedule was changed begins anew, so the schedule belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    schedule: Schedule,
    timezone: String,
    /// In milliseconds since 1970.
    past: Timestamp,
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Document {
    apps: BTreeMap<String, Ticks>,
}

impl Kept {
    pub(super) fn new<T>(entry: &Entry<T>, past: Timestamp) -> Self {
        Self { schedule: entry.schedule.clone(), timezone: entry.zone.name().to_owned(), past }
    }

    /// The tick up to which those of `entry` are past, if it is still the same.
    pub(super) fn past_of<T>(&self, entry: &Entry<T>) -> Option<Timestamp> {
        let is_same = self.schedule == entry.schedule && self.timezone == entry.zone.name();
        is_same.then_some(self.past)
    }

    /// What two schedulers know together. A time after `now` comes from a clock that was wrong.
    fn with(self, other: &Self, now: Timestamp) -> Self {
        let is_same = self.schedule == other.schedule && self.timezone == other.timezone;
        let later = is_same && self.past < other.past && other.past <= now;
        Self { past: if later { other.past } else { self.past }, ..self }
    }
}

impl Past {
    pub(super) fn new(path: PathBuf, app: &str) -> Self {
        Self { path, app: app.to_owned() }
    }

    /// `beat.json` beside the database of the project in the current folder.
    pub(super) fn default_path() -> Result<PathBuf> {
        let here = std::env::current_dir().map_err(|error| {
            Error::new(Code::CannotOpenFile, "cannot find out the current folder").source(error)
        })?;
        Ok(cardoon_connect::locate(&here).with_file_name("beat.json"))
    }

    /// What is known. Nothing if there is no file.
    ///
    /// # Errors
    ///
    /// `CD1101` if the file cannot be read, `CD4004` if it is something else.
    pub(super) fn load(&self) -> Result<Ticks> {
        let mut document = self.read()?;
        Ok(document.apps.remove(&self.app).unwrap_or_default())
    }

    /// Adds what is known to the file. Answers whether it did: not while another process does.
    ///
    /// # Errors
    ///
    /// `CD1101` if that is not possible.
    pub(super) fn add(&self, ticks: Ticks, now: Timestamp) -> Result<bool> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| self.cannot("write", error))?;
        }
        let lock = File::create(self.beside(".lock")).map_err(|error| self.cannot("lock", error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(self.cannot("lock", error)),
        }
        let mut document = self.read()?;
        let known = document.apps.remove(&self.app).unwrap_or_default();
        document.apps.insert(self.app.clone(), merged(ticks, &known, now));
        self.replace(&document).map_err(|error| self.cannot("write", error))?;
        Ok(true)
    }

    fn read(&self) -> Result<Document> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Document::default()),
            Err(error) => return Err(self.cannot("read", error)),
        };
        serde_json::from_slice(&text).map_err(|error| {
            let path = self.path.display();
            Error::new(Code::BadInput, format!("{path} is no file of a scheduler"))
                .checked(error.to_string())
                .hint("name another one: cardoon beat --schedule FILE; it need not exist")
        })
    }

    /// Whoever reads sees the old file or the new one.
    fn replace(&self, document: &Document) -> io::Result<()> {
        let next = self.beside(".next");
        let mut file = File::create(&next)?;
        file.write_all(&serde_json::to_vec_pretty(document)?)?;
        file.sync_data()?;
        std::fs::rename(&next, &self.path)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(ending);
        Path::new(&name).to_owned()
    }

    fn cannot(&self, what: &str, error: io::Error) -> Error {
        Error::new(Code::CannotOpenFile, format!("cannot {what}: {}", self.path.display())).source(error)
    }
}

/// Entries that the application does not have any more are forgotten.
fn merged(ticks: Ticks, known: &Ticks, now: Timestamp) -> Ticks {
    let with_known = |(name, kept): (String, Kept)| {
        let kept = match known.get(&name) {
            Some(known) => kept.with(known, now),
            None => kept,
        };
        (name, kept)
    };
    ticks.into_iter().map(with_known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_scheduler::{CatchUp, Zone};

    fn entry(crontab: &str) -> Entry<()> {
        Entry {
            name: "a".into(),
            schedule: Schedule::crontab(crontab).unwrap(),
            zone: Zone::utc(),
            catch_up: CatchUp::Latest,
            task: (),
        }
    }

    fn ticks(past: i64) -> Ticks {
        Ticks::from([("a".into(), Kept::new(&entry("* * * * *"), Timestamp(past)))])
    }

    fn known(past: &Past) -> Option<i64> {
        past.load().unwrap().get("a")?.past_of(&entry("* * * * *")).map(|tick| tick.0)
    }

    const LATER: Timestamp = Timestamp(1000);

    #[test]
    fn what_several_schedulers_and_applications_add_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/beat.json");
        let (shop, other) = (Past::new(path.clone(), "shop"), Past::new(path, "other"));
        assert_eq!(known(&shop), None);
        assert!(shop.add(ticks(7), LATER).unwrap());
        assert!(other.add(ticks(3), LATER).unwrap());
        assert!(shop.add(ticks(5), LATER).unwrap(), "one that knows less");
        assert_eq!((known(&shop), known(&other)), (Some(7), Some(3)));
    }

    #[test]
    fn a_tick_of_a_clock_that_was_wrong_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let past = Past::new(folder.path().join("beat.json"), "shop");
        past.add(ticks(LATER.0 + 1), LATER).unwrap();
        past.add(ticks(5), LATER).unwrap();
        assert_eq!(known(&past), Some(5));
    }

    #[test]
    fn an_entry_whose_schedule_was_changed_begins_anew_and_one_that_is_gone_is_forgotten() {
        let kept = ticks(7);
        assert_eq!(kept["a"].past_of(&entry("*/2 * * * *")), None);
        assert!(merged(Ticks::new(), &kept, LATER).is_empty());
    }

    #[test]
    fn while_another_process_writes_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let past = Past::new(folder.path().join("beat.json"), "shop");
        let lock = File::create(folder.path().join("beat.json.lock")).unwrap();
        lock.lock().unwrap();
        assert!(!past.add(ticks(7), LATER).unwrap());
        lock.unlock().unwrap();
        assert!(past.add(ticks(7), LATER).unwrap());
    }

    #[test]
    fn a_file_that_is_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("celerybeat-schedule");
        std::fs::write(&path, b"\x00\x06\x15").unwrap();
        let past = Past::new(path.clone(), "shop");
        assert_eq!(past.load().unwrap_err().code(), Code::BadInput);
        assert_eq!(past.add(ticks(7), LATER).unwrap_err().code(), Code::BadInput);
        assert_eq!(std::fs::read(&path).unwrap(), b"\x00\x06\x15");
    }
}
