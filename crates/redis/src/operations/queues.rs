//! Which queues there are.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cardoon_core::{BootInstant, QueueName};
use cardoon_errors::Result;

use super::search::scan;
use crate::keys;
use crate::link::{items, text};
use crate::store::Shared;

/// How old the knowledge may be which exchanges of Celery's there are: to find them, the server looks at all of its keys.
const FRESH: Duration = Duration::from_secs(30);

/// The keys that say which queues Celery's exchanges feed, and when they were looked for.
#[derive(Debug, Default)]
pub(crate) struct Exchanges(Mutex<Option<(BootInstant, Vec<String>)>>);

/// All queues that somebody of ours has used or that Celery's programs have declared.
pub(crate) async fn queues(shared: &Shared) -> Result<Vec<QueueName>> {
    let mut command = redis::cmd("SMEMBERS");
    command.arg(keys::QUEUES);
    let ours = items(shared.main.ask(&command).await?, "SMEMBERS")?;
    let mut names: Vec<String> = ours.into_iter().filter_map(|name| text(name, "SMEMBERS").ok()).collect();
    let mut pipeline = redis::pipe();
    for key in exchanges(shared).await? {
        pipeline.cmd("SMEMBERS").arg(key);
    }
    for answer in shared.main.ask_all(&pipeline).await?.into_iter().flatten() {
        let members =
            items(answer, "SMEMBERS")?.into_iter().filter_map(|member| text(member, "SMEMBERS").ok());
        names.extend(members.filter_map(|member| member.rsplit("\x06\x16").next().map(str::to_owned)));
    }
    names.retain(|name| !is_of_control(name) && !keys::is_reserved(name));
    names.sort_unstable();
    names.dedup();
    Ok(names.into_iter().filter_map(|name| QueueName::new(name).ok()).collect())
}

async fn exchanges(shared: &Shared) -> Result<Vec<String>> {
    let now = shared.wire.clock.boot();
    let slot = &shared.exchanges.0;
    let known = slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((_, keys)) = known.filter(|(at, _)| now.since(*at) < FRESH) {
        return Ok(keys);
    }
    let keys = scan(&shared.main, "_kombu.binding.*").await?;
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, keys.clone()));
    Ok(keys)
}

/// Queues by which Celery's workers are controlled and watched; no tasks go there.
fn is_of_control(name: &str) -> bool {
    name.ends_with(".celery.pidbox") || name.ends_with(".reply.celery.pidbox") || name.starts_with("celeryev")
}
