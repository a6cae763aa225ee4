//! The store: its connections, and what its ports share.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use cardoon_broker::{Capabilities, DelayKind, Durability, LeaseKind};
use cardoon_core::{BootInstant, DEFAULT_MAX_MESSAGE_BYTES, QueueName, Timestamp};
use cardoon_errors::Result;
use cardoon_protocol::kombu;
use cardoon_runtime::Clock;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::address::RedisAddress;
use crate::consumer::Session;
use crate::failure;
use crate::keys::{self, Channels};
use crate::link::{Lane, Wire};
use crate::operations::change::{self, Applied, Change};
use crate::operations::living;
use crate::operations::queues::Exchanges;
use crate::operations::settle::Bench;
use crate::options::RedisOptions;
use crate::ports::{Audience, Follower};
use crate::scripts::Scripts;
use crate::server;

/// How long a look at the workers of a queue counts.
const FRESH: Duration = Duration::from_secs(1);

pub(crate) const MAX_MESSAGE_BYTES: usize = DEFAULT_MAX_MESSAGE_BYTES;

/// Broker and results in one database of a Redis server.
pub struct RedisStore {
    pub(crate) shared: Arc<Shared>,
    /// Without a store nobody waits for results.
    _waiters: DropGuard,
}

/// What the ports and the consumers of a store share.
pub(crate) struct Shared {
    pub(crate) wire: Arc<Wire>,
    /// For all but claims and settles.
    pub(crate) main: Lane,
    pub(crate) claims: Lane,
    pub(crate) settles: Lane,
    pub(crate) scripts: Scripts,
    pub(crate) options: RedisOptions,
    pub(crate) channels: Channels,
    pub(crate) capabilities: Capabilities,
    /// A UUID of this process, which Celery's messages have.
    pub(crate) reply_to: String,
    pub(crate) audience: Audience,
    pub(crate) follower: Follower,
    closed: CancellationToken,
    sessions: Mutex<Vec<Weak<Session>>>,
    known_queues: Mutex<HashSet<QueueName>>,
    /// When a living worker was last seen on a queue.
    attended_at: Mutex<HashMap<QueueName, BootInstant>>,
    pub(crate) exchanges: Exchanges,
}

impl RedisStore {
    /// Connects to a server, and looks whether it can hold tasks. Leases are measured with the server's clock; `clock`
    /// must be the real one.
    ///
    /// # Errors
    ///
    /// `CD1001` if the server cannot be reached, `CD1005` if it does not answer, and `CD12xx` for one that refuses the
    /// login or cannot hold tasks.
    pub async fn connect(address: &RedisAddress, options: &RedisOptions, clock: &Clock) -> Result<Arc<Self>> {
        let wire = Wire::new(address.clone(), clock, options.limit)?;
        let main = Lane::new(&wire);
        main.connect().await?;
        let facts = server::check(&main, &wire.location, options.looks_only).await?;
        // Who only looks loses nothing by what the warnings are about.
        for warning in facts.warnings.iter().filter(|_| !options.looks_only) {
            tracing::warn!(server = wire.location, "{}", warning.message());
        }
        let shared = Arc::new(Shared {
            claims: Lane::new(&wire),
            settles: Lane::new(&wire),
            main,
            scripts: Scripts::for_version(facts.version.0),
            options: options.clone(),
            channels: Channels(address.database),
            capabilities: capabilities(&facts),
            reply_to: cardoon_runtime::ids::task_id().to_string(),
            audience: Audience::default(),
            follower: Follower::default(),
            closed: CancellationToken::new(),
            sessions: Mutex::default(),
            known_queues: Mutex::default(),
            attended_at: Mutex::default(),
            exchanges: Exchanges::default(),
            wire,
        });
        Ok(Arc::new(Self { _waiters: shared.follower.over.clone().drop_guard(), shared }))
    }

    /// Where the server is; holds no password.
    pub fn location(&self) -> &str {
        &self.shared.wire.location
    }

    pub(crate) async fn shut(&self, limit: Duration) -> Result<()> {
        self.shared.closed.cancel();
        for session in self.shared.local_sessions() {
            session.ended.cancel();
        }
        self.shared.wire.services.shut_down(limit).await;
        Ok(())
    }
}

fn capabilities(facts: &server::Facts) -> Capabilities {
    Capabilities {
        name: "redis",
        durability: if facts.append_only { Durability::OsCache } else { Durability::Memory },
        lease: if facts.counts { LeaseKind::ExpiringWithSignOfDeath } else { LeaseKind::Expiring },
        delay: DelayKind::Exact { granularity: Duration::from_millis(1) },
        priorities: kombu::PRIORITY_STEPS.len() as u8,
        atomic_settle: true,
        blocking_claim: facts.tells,
        // A run that ends within some milliseconds leaves no trace; see `Blame`.
        exact_blame: false,
        unique_messages: false,
        max_message_bytes: MAX_MESSAGE_BYTES,
    }
}

impl Shared {
    pub(crate) fn check(&self) -> Result<()> {
        if self.closed.is_cancelled() { Err(failure::closed()) } else { Ok(()) }
    }

    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.closed
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.wire.clock.now()
    }

    pub(crate) fn bench(&self) -> Bench<'_> {
        Bench { retention: &self.options.retention, reply_to: &self.reply_to, now: self.now() }
    }

    pub(crate) async fn apply(&self, lane: &Lane, changes: &[Change]) -> Vec<Result<Applied>> {
        change::apply(lane, &self.scripts, &self.wire.location, changes).await
    }

    pub(crate) async fn apply_one(&self, lane: &Lane, change: Change) -> Result<Applied> {
        self.apply(lane, &[change]).await.pop().unwrap_or_else(|| Err(failure::nonsense("a change")))
    }

    /// The consumers of this process.
    pub(crate) fn local_sessions(&self) -> Vec<Arc<Session>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| session.strong_count() > 0);
        sessions.iter().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn add_session(&self, session: &Arc<Session>) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(session));
    }

    /// The local consumer that has this session number.
    pub(crate) fn local_session(&self, number: u64) -> Option<Arc<Session>> {
        self.local_sessions().into_iter().find(|session| session.number.load(Ordering::Acquire) == number)
    }

    /// Which of these queues a living worker takes from. A worker that was seen alive counts as that for a moment, so that
    /// a stream of delayed messages does not ask each time.
    pub(crate) async fn attended(&self, queues: &[&QueueName]) -> Result<HashSet<QueueName>> {
        let now = self.wire.clock.boot();
        let mut attended: HashSet<QueueName> = {
            let seen = self.attended_at.lock().unwrap_or_else(PoisonError::into_inner);
            let is_fresh = |queue: &&&QueueName| seen.get(**queue).is_some_and(|at| now.since(*at) < FRESH);
            queues.iter().filter(is_fresh).map(|queue| (*queue).clone()).collect()
        };
        let others: Vec<&QueueName> =
            queues.iter().copied().filter(|queue| !attended.contains(*queue)).collect();
        if !others.is_empty() {
            let found = living::attended(self, &others).await?;
            let mut seen = self.attended_at.lock().unwrap_or_else(PoisonError::into_inner);
            seen.extend(found.iter().map(|queue| (queue.clone(), now)));
            attended.extend(found);
        }
        Ok(attended)
    }

    /// Makes queues known to people's tools, Celery's included, once a process.
    pub(crate) async fn introduce(&self, queues: impl IntoIterator<Item = &QueueName>) {
        let mut pipeline = redis::pipe();
        let mut fresh = Vec::new();
        for queue in queues {
            if self.known_queues.lock().unwrap_or_else(PoisonError::into_inner).contains(queue) {
                continue;
            }
            let binding = kombu::binding(queue);
            pipeline.cmd("SADD").arg(binding.key).arg(binding.member);
            pipeline.cmd("SADD").arg(keys::QUEUES).arg(queue.as_str());
            fresh.push(queue.clone());
        }
        if fresh.is_empty() {
            return;
        }
        let told = self.main.ask_all(&pipeline).await;
        if let Ok(answers) = &told
            && answers.iter().all(Result::is_ok)
        {
            self.known_queues.lock().unwrap_or_else(PoisonError::into_inner).extend(fresh);
        }
    }
}
