use cardoon_broker::Member;
use cardoon_core::QueueName;
use serde::Serialize;
use utoipa::ToSchema;

use crate::times::rfc3339;

/// A worker that is alive.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Worker)]
pub struct WorkerLine {
    pub worker: String,
    pub session: u64,
    pub pid: u32,
    pub version: String,
    #[schema(value_type = Vec<String>)]
    pub queues: Vec<QueueName>,
    /// The names of the tasks that it knows.
    pub tasks: Vec<String>,
    /// How many tasks it executes at once.
    pub slots: u32,
    /// How many it has now, running or about to.
    pub held: u64,
    pub since: String,
    pub heartbeat_age_ms: u64,
}

impl WorkerLine {
    pub fn of(member: Member) -> Self {
        Self {
            worker: member.worker,
            session: member.session,
            pid: member.pid,
            version: member.version,
            queues: member.queues,
            tasks: member.tasks,
            slots: member.slots,
            held: member.held,
            since: rfc3339(member.since),
            heartbeat_age_ms: member.heartbeat_age.as_millis() as u64,
        }
    }
}
