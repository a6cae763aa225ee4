use cardoon_broker::{Inspect, Member, QueueStats};
use cardoon_core::QueueName;
use cardoon_core::lease::LeaseTerms;
use cardoon_errors::Result;

/// Queues and workers as they were at one moment.
pub(crate) struct Look {
    pub(crate) queues: Vec<QueueStats>,
    pub(crate) living: Vec<Member>,
    /// Those whose last heartbeat is older than a lease.
    pub(crate) silent: Vec<Member>,
    /// Workers of another system may take from the queues too.
    pub(crate) strangers: bool,
}

impl Look {
    pub(crate) async fn take(inspect: &dyn Inspect) -> Result<Self> {
        let queues = inspect.queues().await?;
        let lease = LeaseTerms::default().lease;
        let (living, silent) =
            inspect.members().await?.into_iter().partition(|member| member.heartbeat_age < lease);
        Ok(Self { queues, living, silent, strangers: inspect.may_have_strangers().await? })
    }

    /// The live workers of `queue`.
    pub(crate) fn workers_of<'a>(&'a self, queue: &'a QueueName) -> impl Iterator<Item = &'a Member> {
        self.living.iter().filter(move |member| member.queues.contains(queue))
    }

    pub(crate) fn is_attended(&self, queue: &QueueName) -> bool {
        self.workers_of(queue).next().is_some()
    }
}
