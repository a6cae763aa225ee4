use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::Revoked;
use cardoon_connect::Stores;
use cardoon_core::{QueueName, TaskId};
use cardoon_errors::{Applied, Code, Error, Result};
use cardoon_protocol::Limits;
use cardoon_runtime::Clock;
use cardoon_settings::{Settings, Sources, StoreUrl};

use crate::testing::Inline;
use crate::{TaskHandle, TypedSignature, sending};

/// The connection of a program to its stores: it sends tasks and asks what became of them. Cheap to clone; all clones
/// are one connection.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    stores: Stores,
    settings: Settings,
    queue: QueueName,
    origin: String,
    limits: Limits,
    clock: Clock,
    inline: Option<Inline>,
}

/// How an [`App`] is opened; see [`App::builder`].
#[derive(Debug, Clone, Default)]
#[must_use = "open the application with `open`"]
pub struct AppBuilder {
    settings: Option<Settings>,
    broker: Option<StoreUrl>,
    results: Option<StoreUrl>,
    queue: QueueName,
    origin: Option<String>,
    limits: Option<Limits>,
    clock: Clock,
}

impl App {
    /// Connects to the store of messages at `url`: `sqlite:PATH`, SQLAlchemy's forms of it, `redis://HOST`, or
    /// `memory:`. All else is as the environment and `cardoon.toml` say; see [`AppBuilder::settings`].
    ///
    /// Errors: `CD1002` for an unknown scheme, `CD1003` for a store that this build has no adapter for, `CD1004` for a
    /// URL that cannot be read, `CD4001` to `CD4003` for settings that cannot be, and what the store itself answers.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::builder().broker(url).open().await
    }

    /// Connects to the stores that the environment (`CARDOON_BROKER`, `CARDOON_RESULTS`) or `cardoon.toml` name, else
    /// to the database of the project: `.cardoon/cardoon.db` in the nearest folder upward that has a `cardoon.toml` or
    /// a `.cardoon`. This is what the command line does, so both work on the same tasks.
    pub async fn open_default() -> Result<Self> {
        Self::builder().open().await
    }

    /// Connects to the stores that `settings` name; see [`AppBuilder::settings`].
    pub async fn from_settings(settings: &Settings) -> Result<Self> {
        Self::builder().settings(settings.clone()).open().await
    }

    /// An app for tests: a task is executed at once, in this process, by the `send` that sends it, and no store is needed.
    /// See [`testing`](crate::testing).
    ///
    /// ```
    /// use cardoon::prelude::*;
    ///
    /// #[cardoon::task]
    /// async fn add(x: i64, y: i64) -> i64 {
    ///     x + y
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> cardoon::Result<()> {
    /// let app = App::inline();
    /// assert_eq!(app.send(add::signature(2, 3)).await?.await?, 5);
    /// # Ok(()) }
    /// ```
    pub fn inline() -> Self {
        crate::testing::inline().build()
    }

    /// Sets out to connect with more than a URL. What is said to the builder goes before the environment, the
    /// environment before `cardoon.toml`, and that before the defaults.
    pub fn builder() -> AppBuilder {
        AppBuilder::default()
    }

    /// Sends a task. When this returns, the task is stored as durably as the broker can, and will be executed.
    ///
    /// A broker that may or may not have stored it is asked again, under the same id, so that nothing is lost and
    /// nothing runs unknown. If the answer stays unknown after five tries, the error says so
    /// ([`Error::was_applied`]); sending again under the same [id](TypedSignature::id) is safe.
    ///
    /// Errors: `CD2002` for a message that is larger than the [limit](AppBuilder::limits), `CD2005` for an id or queue that cannot be one, `CD2006` for
    /// an argument that JSON cannot hold, and what the broker answers.
    pub async fn send<T>(&self, signature: TypedSignature<T>) -> Result<TaskHandle<T>> {
        sending::send(self, signature).await.map(|id| self.handle(id))
    }

    /// Sends many tasks, in order, much faster than one at a time: they are stored in large steps, and while one is
    /// stored the next is prepared.
    ///
    /// If some cannot be sent, the others are sent all the same; the first error is returned, and says how many were
    /// sent. [`send_each`](Self::send_each) tells which.
    pub async fn send_many<T, I>(&self, signatures: I) -> Result<Vec<TaskHandle<T>>>
    where
        I: IntoIterator<Item = TypedSignature<T>>,
        I::IntoIter: Send,
    {
        let answers = sending::send_each(self, signatures.into_iter()).await;
        let all = answers.len();
        let sent = answers.iter().filter(|answer| answer.is_ok()).count();
        let handles = answers.into_iter().map(|answer| answer.map(|id| self.handle(id)));
        handles.collect::<Result<_>>().map_err(|error| partly_sent(error, sent, all))
    }

    /// Sends many tasks as [`send_many`](Self::send_many) does, with an answer for each, in their order.
    pub async fn send_each<T, I>(&self, signatures: I) -> Vec<Result<TaskHandle<T>>>
    where
        I: IntoIterator<Item = TypedSignature<T>>,
        I::IntoIter: Send,
    {
        let answers = sending::send_each(self, signatures.into_iter()).await;
        answers.into_iter().map(|answer| answer.map(|id| self.handle(id))).collect()
    }

    /// The handle of a task that was sent before, or elsewhere. Nothing is asked of the stores yet; `T` is what the
    /// task returns.
    pub fn handle<T>(&self, id: TaskId) -> TaskHandle<T> {
        TaskHandle::new(self.clone(), id)
    }

    /// Revokes a task, durably: one that waits is not executed, one that runs is told to stop.
    pub async fn revoke(&self, id: &TaskId) -> Result<Revoked> {
        let answer = self.stores().broker.revoke(vec![id.clone()]).await.pop();
        answer.unwrap_or_else(|| Err(Error::new(Code::Internal, "the broker gave no answer to a revoke")))
    }

    /// The stores themselves, for tools.
    pub fn stores(&self) -> &Stores {
        &self.0.stores
    }

    /// What the app and its [workers](crate::Worker) do unless they are told otherwise.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Finishes what is under way, at most `limit`, and closes the stores for all clones.
    pub async fn close(&self, limit: Duration) -> Result<()> {
        let Stores { broker, results, joined, .. } = self.stores();
        broker.close(limit).await?;
        if *joined { Ok(()) } else { results.close(limit).await }
    }

    pub(crate) fn of_inline(inline: Inline, clock: Clock) -> Self {
        let stores = cardoon_connect::memory(&clock);
        let (queue, origin, limits) = (QueueName::default(), "inline".into(), Limits::default());
        let settings = Settings::default();
        Self(Arc::new(Inner { stores, settings, queue, origin, limits, clock, inline: Some(inline) }))
    }

    pub(crate) fn inline_mode(&self) -> Option<&Inline> {
        self.0.inline.as_ref()
    }

    pub(crate) fn default_queue(&self) -> &QueueName {
        &self.0.queue
    }

    pub(crate) fn origin(&self) -> &str {
        &self.0.origin
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }
}

impl AppBuilder {
    /// The settings of the app and its [workers](crate::Worker): where the stores are, how long they keep the past, how
    /// large a message may be, and all that `[worker]` and `[retry]` say. By default those of this process: variables
    /// of the environment that begin with `CARDOON_`, and the `cardoon.toml` of the working folder or the nearest one
    /// above. `Settings::default()` reads neither.
    ///
    /// A builder's own methods, and the options of a task, go before them.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// The URL of the store of messages. By default that of the settings, else the database of the project; see
    /// [`App::open_default`].
    pub fn broker(mut self, url: impl Into<String>) -> Self {
        self.broker = Some(StoreUrl::new(url));
        self
    }

    /// The URL of the store of results. By default that of the settings, else they are kept beside the messages, which is
    /// the safest place: a task's end and its result are then one step.
    pub fn results(mut self, url: impl Into<String>) -> Self {
        self.results = Some(StoreUrl::new(url));
        self
    }

    /// The queue of tasks that name none. `celery` by default.
    pub fn queue(mut self, queue: QueueName) -> Self {
        self.queue = queue;
        self
    }

    /// The sender's name in messages and events, for people. By default `gen`, the process id and the host, as in
    /// Celery.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// What a message may demand, of this app's [workers](crate::Worker) too. By default what the settings say, which is
    /// 16 MiB and 128 levels unless it is changed. A larger message is refused before anything of it is stored.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// The clock that due times are read from.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Connects.
    pub async fn open(mut self) -> Result<App> {
        let settings = match self.settings.take() {
            Some(settings) => settings,
            None => Settings::load(&Sources::of_process(Vec::new()))?,
        };
        let broker = match self.broker.as_ref().or(settings.broker.url.as_ref()) {
            Some(url) => url.expose().to_owned(),
            None => cardoon_connect::default_url()?,
        };
        let results = self.results.as_ref().or(settings.results.url.as_ref()).map(StoreUrl::expose);
        let stores =
            cardoon_connect::connect_with(&broker, results, &settings.retention, &self.clock).await?;
        Ok(self.settings(settings).with_stores(stores))
    }

    /// Uses stores that are open already. Without [`Self::settings`] all else is as the defaults are.
    pub fn with_stores(self, stores: Stores) -> App {
        let settings = self.settings.unwrap_or_default();
        let limits = self.limits.unwrap_or_else(|| limits_of(&settings));
        let origin = self.origin.unwrap_or_else(default_origin);
        let Self { queue, clock, .. } = self;
        App(Arc::new(Inner { stores, settings, queue, origin, limits, clock, inline: None }))
    }
}

/// What the settings allow a message to demand.
fn limits_of(settings: &Settings) -> Limits {
    Limits {
        max_bytes: usize::try_from(settings.limits.message_size.0).unwrap_or(usize::MAX),
        max_depth: settings.limits.message_depth.get() as usize,
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("location", &self.stores().location).finish_non_exhaustive()
    }
}

fn default_origin() -> String {
    format!("gen{}@{}", std::process::id(), cardoon_runtime::hostname())
}

fn partly_sent(error: Error, sent: usize, all: usize) -> Error {
    let applied = if sent == 0 { error.was_applied() } else { Applied::Unknown };
    error.checked(format!("{sent} of {all} tasks were sent")).applied(applied)
}
