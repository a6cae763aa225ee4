use std::path::PathBuf;
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};

use crate::MailCount;

/// What became of the mails, counted in the sink and by the tasks themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct MailReport {
    pub mails: u32,
    pub workers: u32,
    pub slots: u32,
    /// From the sending of the tasks, or their due time, to the end of the last one.
    pub took: Duration,
    /// The time that one slot would have been busy: mails times the duration of a task.
    pub one_slot: Duration,
    pub count: MailCount,
    /// Recipients that got no mail.
    pub lost: Vec<String>,
    pub kill: Option<KillReport>,
    /// The database, if it was kept.
    pub database: Option<PathBuf>,
}

/// What the kill of a worker did.
#[derive(Debug, Clone, PartialEq)]
pub struct KillReport {
    pub worker: String,
    /// Different mails that had arrived by then.
    pub arrived: u64,
    /// Tasks that had started there and not ended: each may send its mail a second time.
    pub started: u64,
    /// From the kill to the second start of the first of these tasks.
    pub second_run_after: Option<Duration>,
}

impl MailReport {
    /// How many times faster than one slot it was.
    pub fn speed_up(&self) -> f64 {
        self.one_slot.as_secs_f64() / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The speed-up if nothing but the tasks took time: the number of slots, less what died with a killed worker.
    pub fn ideal(&self) -> f64 {
        let all = f64::from(self.workers * self.slots);
        let Some(kill) = &self.kill else { return all };
        let left = f64::from((self.workers - 1).max(1) * self.slots);
        let before = (kill.arrived as f64 / f64::from(self.mails.max(1))).min(1.0);
        1.0 / (before / all + (1.0 - before) / left)
    }

    /// `CD5001` if a mail is missing.
    pub fn verdict(&self) -> Result<()> {
        let Some(first) = self.lost.first() else { return Ok(()) };
        let lost = self.lost.len();
        let error = Error::new(Code::MailsMissing, format!("{lost} of {} mails are missing", self.mails))
            .checked(format!("the first that got none: {first}"))
            .checked(format!("mails in the sink: {}, different: {}", self.count.total, self.count.distinct));
        Err(match &self.database {
            Some(database) => error.hint(format!("cardoon task list --broker sqlite:{}", database.display())),
            None => error.hint("run it again with a folder to keep the database and the workers' messages"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> MailReport {
        MailReport {
            mails: 1000,
            workers: 2,
            slots: 4,
            took: Duration::from_secs(10),
            one_slot: Duration::from_secs(50),
            count: MailCount { total: 1000, distinct: 1000 },
            lost: Vec::new(),
            kill: None,
            database: None,
        }
    }

    #[test]
    fn the_ideal_loses_the_slots_of_the_killed_worker_from_its_kill_on() {
        assert!((report().speed_up() - 5.0).abs() < 1e-9);
        assert!((report().ideal() - 8.0).abs() < 1e-9);
        let kill = KillReport { worker: "a".into(), arrived: 500, started: 4, second_run_after: None };
        let killed = MailReport { kill: Some(kill), ..report() };
        assert!((killed.ideal() - 16.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_missing_mail_is_an_error_that_names_it() {
        assert!(report().verdict().is_ok());
        let lost = MailReport { lost: vec!["user7@example.com".into()], ..report() };
        let error = lost.verdict().unwrap_err();
        assert_eq!(error.code(), Code::MailsMissing);
        assert!(error.findings()[0].contains("user7@example.com"));
    }
}
