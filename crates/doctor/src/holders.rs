//! Does somebody hold messages who is gone?

use std::collections::BTreeMap;

use cardoon_broker::{Inspect, Member, Place};
use cardoon_core::{TaskFilter, TaskState};
use cardoon_errors::{Code, Error, Finding, Report, Result};
use cardoon_settings::show_duration;
use std::time::Duration;

use crate::few;
use crate::look::Look;

/// Messages of each state that are looked at.
const MESSAGES: usize = 200;

pub(crate) async fn report(look: &Look, inspect: &dyn Inspect, report: Report<'_>) -> Result<()> {
    let silent = look.silent.iter().filter(|member| member.held > 0);
    let mut holders: Vec<String> = silent.map(of_silent).collect();
    let gone = held_by_gone(look, inspect).await?.into_iter();
    holders
        .extend(gone.map(|(worker, count)| format!("worker {worker} is gone and holds messages: {count}")));
    if holders.is_empty() {
        let held: u64 = look.living.iter().map(|member| member.held).sum();
        report(Finding::fine("leases", format!("messages that live workers hold: {held}")));
    }
    let further = |count| format!("further workers that are gone and hold messages: {count}");
    few::report(
        &holders,
        |holder| told(look, holder.clone()),
        |holders| told(look, further(holders.len())),
        report,
    );
    Ok(())
}

fn of_silent(member: &Member) -> String {
    let (worker, held) = (&member.worker, member.held);
    let age = show_duration(Duration::from_secs(member.heartbeat_age.as_secs()));
    format!("worker {worker} has been silent for {age} and holds messages: {held}")
}

/// What a store that lists only the living does not list, by their names.
async fn held_by_gone(look: &Look, inspect: &dyn Inspect) -> Result<BTreeMap<String, u64>> {
    let held: u64 = look.queues.iter().map(|queue| queue.held).sum();
    let known = || look.living.iter().chain(&look.silent);
    let mut gone = BTreeMap::new();
    if held <= known().map(|member| member.held).sum() {
        return Ok(gone);
    }
    for state in [TaskState::Received, TaskState::Started] {
        let filter = TaskFilter { state: Some(state), ..TaskFilter::default() };
        for (_, place) in inspect.waiting(&filter, None, MESSAGES).await?.items {
            if let Place::Held { worker, .. } = place
                && known().all(|member| member.worker != worker)
            {
                *gone.entry(worker).or_default() += 1;
            }
        }
    }
    Ok(gone)
}

fn told(look: &Look, message: String) -> Finding {
    let error = Error::new(Code::HeldByDead, message);
    if look.living.is_empty() {
        let error = error.checked("workers that are alive: none, so nobody puts them back");
        return Finding::error("leases", error.hint("start a worker of the queue: cardoon worker -A tasks"));
    }
    let error = error.checked(format!("workers that are alive: {}", look.living.len()));
    Finding::warning(
        "leases",
        error.hint("a live worker of the queue puts them back; ask again in some seconds"),
    )
}
