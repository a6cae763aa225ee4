//! An independent count of executions: tasks say in a file that they start and end, whatever the stores believe.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use cardoon_core::{BootInstant, RunNumber, TaskId};
use cardoon_runtime::Clock;

/// Between two looks at the file, of whose changes nobody tells.
const LOOK: Duration = Duration::from_millis(10);

/// Where tasks testify. All processes of a drill append to one file, a line an event, each in a single write.
#[derive(Debug)]
pub struct Witness {
    file: File,
    path: PathBuf,
    clock: Clock,
}

/// What the witness was told, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Testimony {
    pub entries: Vec<Entry>,
}

/// A run started or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub moment: Moment,
    pub run: RunNumber,
    pub pid: u32,
    pub at: BootInstant,
    pub id: TaskId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// User code begins.
    Started,
    /// User code has done its work.
    Ended,
}

/// Executions in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Executions {
    /// Tasks that were to be executed.
    pub expected: u64,
    /// Tasks of which no run has come to its end.
    pub lost: Vec<TaskId>,
    /// Starts beyond the first of each task.
    pub second_runs: u64,
    /// Ends beyond the first of each task: work that was done twice.
    pub duplicates: u64,
}

impl Witness {
    /// Opens or creates the file.
    pub fn open(path: impl Into<PathBuf>, clock: Clock) -> io::Result<Self> {
        let path = path.into();
        let file = File::options().create(true).append(true).open(&path)?;
        Ok(Self { file, path, clock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A task calls this first.
    pub fn started(&self, id: &TaskId, run: RunNumber) -> io::Result<()> {
        self.write(Moment::Started, id, run)
    }

    /// A task calls this last.
    pub fn ended(&self, id: &TaskId, run: RunNumber) -> io::Result<()> {
        self.write(Moment::Ended, id, run)
    }

    /// All that was written up to now.
    pub fn read(&self) -> io::Result<Testimony> {
        Testimony::read(&self.path)
    }

    fn write(&self, moment: Moment, id: &TaskId, run: RunNumber) -> io::Result<()> {
        let entry = Entry { moment, run, pid: std::process::id(), at: self.clock.boot(), id: id.clone() };
        (&self.file).write_all(entry.to_line().as_bytes())
    }
}

impl Entry {
    /// The id is the last field, since it may hold spaces.
    fn to_line(&self) -> String {
        let Self { moment, run, pid, at, id } = self;
        let letter = if *moment == Moment::Started { 'S' } else { 'E' };
        format!("{letter} {run} {pid} {} {id}\n", at.0)
    }
}

impl FromStr for Entry {
    type Err = io::Error;

    fn from_str(line: &str) -> io::Result<Self> {
        let read = || {
            let mut fields = line.splitn(5, ' ');
            let moment = match fields.next()? {
                "S" => Moment::Started,
                "E" => Moment::Ended,
                _ => return None,
            };
            let run = RunNumber(fields.next()?.parse().ok()?);
            let pid = fields.next()?.parse().ok()?;
            let at = BootInstant(fields.next()?.parse().ok()?);
            Some(Self { moment, run, pid, at, id: TaskId::new(fields.next()?).ok()? })
        };
        read().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("no testimony: {line:?}")))
    }
}

impl Testimony {
    /// Reads a witness's file; a file that is not there yet says nothing.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        // The last line may be in the middle of its writing.
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        let entries = complete.lines().map(Entry::from_str).collect::<io::Result<_>>()?;
        Ok(Self { entries })
    }

    /// Reads the file at `path` until `holds` is true of it, at most for `limit`; `None` if it never was.
    pub async fn awaited(
        path: &Path,
        clock: &Clock,
        limit: Duration,
        mut holds: impl FnMut(&Self) -> bool,
    ) -> io::Result<Option<Self>> {
        let end = clock.boot().plus(limit);
        loop {
            let testimony = Self::read(path)?;
            if holds(&testimony) {
                return Ok(Some(testimony));
            }
            if clock.boot() > end {
                return Ok(None);
            }
            clock.sleep(LOOK).await;
        }
    }

    /// Compares with the tasks that were to be executed.
    pub fn count<'a>(&self, expected: impl IntoIterator<Item = &'a TaskId>) -> Executions {
        let starts = self.tally(Moment::Started);
        let ends = self.tally(Moment::Ended);
        let expected: HashSet<_> = expected.into_iter().collect();
        let mut lost: Vec<_> =
            expected.iter().copied().filter(|id| !ends.contains_key(id)).cloned().collect();
        lost.sort();
        let beyond_first = |tally: &HashMap<_, u64>| tally.values().map(|times| times - 1).sum();
        Executions {
            expected: expected.len() as u64,
            lost,
            second_runs: beyond_first(&starts),
            duplicates: beyond_first(&ends),
        }
    }

    /// Tasks that a process started and did not end.
    pub fn unfinished_of(&self, pid: u32) -> HashSet<TaskId> {
        let mut unfinished = HashSet::new();
        for entry in self.entries.iter().filter(|entry| entry.pid == pid) {
            match entry.moment {
                Moment::Started => unfinished.insert(entry.id.clone()),
                Moment::Ended => unfinished.remove(&entry.id),
            };
        }
        unfinished
    }

    /// The first start of one of `tasks` by another process than `pid`, at `since` or later.
    pub fn next_start(&self, tasks: &HashSet<TaskId>, pid: u32, since: BootInstant) -> Option<BootInstant> {
        let elsewhere = |entry: &&Entry| entry.pid != pid && entry.at >= since && tasks.contains(&entry.id);
        self.starts().filter(elsewhere).map(|entry| entry.at).min()
    }

    pub fn starts(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.moment == Moment::Started)
    }

    pub fn ends(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.moment == Moment::Ended)
    }

    fn tally(&self, moment: Moment) -> HashMap<&TaskId, u64> {
        let mut tally = HashMap::new();
        for entry in self.entries.iter().filter(|entry| entry.moment == moment) {
            *tally.entry(&entry.id).or_default() += 1;
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> TaskId {
        TaskId::new(text).unwrap()
    }

    fn entry(moment: Moment, id_text: &str, pid: u32, at: u64) -> Entry {
        Entry { moment, run: RunNumber::FIRST, pid, at: BootInstant(at), id: id(id_text) }
    }

    #[test]
    fn what_tasks_say_is_read_back_and_half_a_line_waits() {
        let folder = tempfile::tempdir().unwrap();
        let witness = Witness::open(folder.path().join("witness"), Clock::real()).unwrap();
        witness.started(&id("an id with spaces"), RunNumber(3)).unwrap();
        (&witness.file).write_all(b"E 3 1").unwrap();
        let testimony = witness.read().unwrap();
        assert_eq!(testimony.entries.len(), 1);
        assert_eq!(testimony.entries[0].id, id("an id with spaces"));
        assert_eq!((testimony.entries[0].run, testimony.entries[0].pid), (RunNumber(3), std::process::id()));
    }

    #[test]
    fn a_task_that_started_and_never_ended_is_lost() {
        let entries = vec![
            entry(Moment::Started, "a", 1, 10),
            entry(Moment::Ended, "a", 1, 11),
            entry(Moment::Started, "b", 1, 12),
        ];
        let count = Testimony { entries }.count([&id("a"), &id("b"), &id("c")]);
        assert_eq!(count.lost, [id("b"), id("c")]);
        assert_eq!((count.expected, count.second_runs, count.duplicates), (3, 0, 0));
    }

    #[test]
    fn a_second_run_is_a_duplicate_only_if_both_came_to_their_end() {
        let entries = vec![
            entry(Moment::Started, "a", 1, 10),
            entry(Moment::Started, "b", 1, 10),
            entry(Moment::Ended, "b", 1, 20),
            entry(Moment::Started, "a", 2, 30),
            entry(Moment::Ended, "a", 2, 40),
            entry(Moment::Started, "b", 2, 40),
            entry(Moment::Ended, "b", 2, 50),
        ];
        let testimony = Testimony { entries };
        let count = testimony.count([&id("a"), &id("b")]);
        assert_eq!((count.lost.len(), count.second_runs, count.duplicates), (0, 2, 1));
        let left = testimony.unfinished_of(1);
        assert_eq!(left, HashSet::from([id("a")]));
        assert_eq!(testimony.next_start(&left, 1, BootInstant(25)), Some(BootInstant(30)));
    }
}
