//! What is known of tasks: their run records and results.

use bytes::Bytes;
use cardoon_core::run::RunRecord;
use cardoon_core::{RunNumber, TaskId};
use cardoon_errors::Result;
use cardoon_protocol::celery_result;

use super::change::Change;
use crate::keys;
use crate::link::{Lane, bytes, items};

/// What is stored of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    run: Option<Bytes>,
    result: Option<Bytes>,
}

/// Tasks that are asked for in one command at most.
const PAGE: usize = 256;

impl Known {
    /// The run record. A task without one that has a final result has ended, whoever wrote that.
    pub(crate) fn record(&self) -> Option<RunRecord> {
        match &self.run {
            Some(run) => read_record(run),
            None => self.result.as_ref().and_then(ended),
        }
    }

    pub(crate) fn has_run(&self) -> bool {
        self.run.is_some()
    }

    /// A change that is made only if nothing has happened to the task since.
    pub(crate) fn unchanged(&self, id: &TaskId) -> Change {
        let change = Change::new().if_value(keys::run(id), self.run.clone());
        if self.run.is_some() { change } else { change.if_value(keys::result(id), self.result.clone()) }
    }
}

fn ended(result: &Bytes) -> Option<RunRecord> {
    let record = celery_result::read(result).ok().flatten().filter(|record| record.state.is_final())?;
    Some(RunRecord { current: record.run, attempt: record.attempt, ended: true })
}

/// Looks what is stored of each task.
pub(crate) async fn look<'t>(lane: &Lane, ids: impl IntoIterator<Item = &'t TaskId>) -> Result<Vec<Known>> {
    let ids: Vec<&TaskId> = ids.into_iter().collect();
    let mut pipeline = redis::pipe();
    for page in ids.chunks(PAGE) {
        let command = pipeline.cmd("MGET");
        for id in page {
            command.arg(keys::run(id)).arg(keys::result(id));
        }
    }
    let mut known = Vec::with_capacity(ids.len());
    for answer in lane.ask_each(&pipeline).await? {
        let mut values = items(answer, "MGET")?.into_iter().map(bytes);
        while let (Some(run), Some(result)) = (values.next(), values.next()) {
            known.push(Known { run, result });
        }
    }
    if known.len() == ids.len() { Ok(known) } else { Err(crate::failure::nonsense("MGET")) }
}

/// A run record as it is stored: the current run, its attempt, whether the task has ended.
pub(crate) fn write_record(record: RunRecord) -> Bytes {
    format!("{} {} {}", record.current, record.attempt, u8::from(record.ended)).into()
}

fn read_record(text: &[u8]) -> Option<RunRecord> {
    let mut parts = std::str::from_utf8(text).ok()?.split(' ');
    let current = RunNumber(parts.next()?.parse().ok()?);
    let attempt = parts.next()?.parse().ok()?;
    Some(RunRecord { current, attempt, ended: parts.next()? == "1" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_record_reads_as_it_was_written(current: u64, attempt: u32, ended: bool) {
            let record = RunRecord { current: RunNumber(current), attempt, ended };
            prop_assert_eq!(read_record(&write_record(record)), Some(record));
        }
    }

    #[test]
    fn a_final_result_of_a_celery_worker_is_an_end() {
        let of = |status: &str| {
            let json = format!(r#"{{"status": "{status}", "result": 1, "traceback": null, "task_id": "a"}}"#);
            Known { run: None, result: Some(json.into()) }.record().map(|record| record.ended)
        };
        assert_eq!((of("SUCCESS"), of("STARTED"), of("RETRY")), (Some(true), None, None));
    }
}
