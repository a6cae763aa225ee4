//! Which workers are meant, and whether anybody knows a task.

use cardoon_broker::Member;
use cardoon_connect::Stores;
use cardoon_core::QueueName;
use cardoon_errors::{Code, Error, Result};

use crate::text::clean;

/// Those of the living that have one of these names; all that share a name. Fails with `CD3015` for a name that none has.
pub fn named(mut members: Vec<Member>, names: &[String]) -> Result<Vec<Member>> {
    let is_there = |name: &&String| members.iter().any(|member| member.worker == **name);
    if let Some(missing) = names.iter().find(|name| !is_there(name)) {
        let known: Vec<_> = members.iter().map(|member| clean(&member.worker)).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(Error::new(Code::NoSuchWorker, format!("no worker {} is alive", clean(missing)))
            .checked(format!("alive: {known}"))
            .hint("cardoon workers list"));
    }
    members.retain(|member| names.contains(&member.worker));
    Ok(members)
}

/// Fails with `CD3005` if no worker that takes from `queue` knows `task`. Of workers of another system nobody can say what
/// they know, so where there may be some it does not fail.
pub async fn require(stores: &Stores, task: &str, queue: &QueueName) -> Result<()> {
    let inspect = stores.broker.inspect();
    let members = inspect.members().await?;
    let on_queue = members.iter().filter(|member| member.queues.contains(queue));
    let (count, knows) = on_queue.fold((0, false), |(count, knows), member| {
        (count + 1, knows || member.tasks.iter().any(|known| known == task))
    });
    if knows || inspect.may_have_strangers().await? {
        return Ok(());
    }
    let name = clean(task);
    Err(Error::new(Code::NoSuchTask, format!("no live worker knows a task {name}"))
        .checked(format!("workers on the queue {}: {count}", clean(queue.as_str())))
        .hint("start a worker that has the task, or send without `require_worker`"))
}
