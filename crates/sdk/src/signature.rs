use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::{IdError, Priority, QueueName, Signature, SignatureOptions, TaskId, Timestamp};
use cardoon_errors::{Code, Error, Result};
use cardoon_worker::TaskContext;
use serde::Serialize;
use serde_json::Value;

use crate::task::{KnownTask, SendDefaults};

/// A task's name, its arguments and how it is to be sent; `T` is what the task returns.
///
/// What is not said here is left to the options of the task, then to the defaults of the [`App`](crate::App).
/// Something wrong, such as a value that cannot be written as JSON, is reported when the signature is sent.
///
/// ```
/// use std::time::Duration;
///
/// #[cardoon::task]
/// async fn add(x: i64, y: i64) -> i64 {
///     x + y
/// }
///
/// let later = add::signature(2, 3).queue("sums").priority(9).countdown(Duration::from_secs(60));
/// assert_eq!(later.task(), "add");
/// ```
#[must_use = "a signature does nothing until it is sent"]
pub struct TypedSignature<T> {
    signature: Signature,
    expires_in: Option<Duration>,
    resent: bool,
    known: Option<&'static KnownTask>,
    broken: Option<Error>,
    /// Its sending, from when everything is decided.
    #[cfg(feature = "opentelemetry")]
    sending: Option<tracing::Span>,
    output: PhantomData<fn() -> T>,
}

impl<T> TypedSignature<T> {
    /// A call of the task `name`, which may be defined anywhere: in another crate, or in a Celery application.
    ///
    /// ```
    /// use cardoon::TypedSignature;
    /// use serde_json::json;
    ///
    /// let call = TypedSignature::<bool>::named("mail.send").args(("ann@example.org",)).kwargs(json!({"copies": 2}));
    /// assert_eq!(call.task(), "mail.send");
    /// ```
    pub fn named(name: impl Into<String>) -> Self {
        Self::of(Signature {
            task: name.into(),
            args: Bytes::from_static(b"[]"),
            kwargs: Bytes::from_static(b"{}"),
            options: SignatureOptions::default(),
        })
    }

    /// The positional arguments, as a tuple or a list.
    pub fn args(mut self, args: impl Serialize) -> Self {
        match serde_json::to_vec(&args) {
            Ok(json) if json == b"null" => self.signature.args = Bytes::from_static(b"[]"),
            Ok(json) => self.signature.args = json.into(),
            Err(error) => self.break_with(|task| not_serializable(task, error)),
        }
        self
    }

    /// The named arguments, as a map or a struct.
    pub fn kwargs(mut self, kwargs: impl Serialize) -> Self {
        match serde_json::to_vec(&kwargs) {
            Ok(json) => self.signature.kwargs = json.into(),
            Err(error) => self.break_with(|task| not_serializable(task, error)),
        }
        self
    }

    /// The id to send under: sending the same id again adds nothing. A new one by default.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        match TaskId::new(id.into()) {
            Ok(id) => self.signature.options.id = Some(id),
            Err(error) => self.break_with(|task| bad_name("the id", task, &error)),
        }
        self
    }

    /// The queue to send to.
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        match QueueName::new(queue.into()) {
            Ok(queue) => self.signature.options.queue = Some(queue),
            Err(error) => self.break_with(|task| bad_name("the queue", task, &error)),
        }
        self
    }

    /// 0 to 9, and 9 is the most urgent. The default is 4. On Redis, as with Celery, nothing goes before what has the
    /// default: 3, 2, and 1 with 0, come after it.
    pub fn priority(mut self, priority: impl Into<Priority>) -> Self {
        self.signature.options.priority = Some(priority.into());
        self
    }

    /// Not before this long after sending. It waits in the broker and survives every restart.
    pub fn countdown(mut self, countdown: Duration) -> Self {
        self.signature.options.countdown = Some(countdown);
        self
    }

    /// Not before this time; wins over [`countdown`](Self::countdown).
    pub fn eta(mut self, eta: Timestamp) -> Self {
        self.signature.options.eta = Some(eta);
        self
    }

    /// Not after this time: the task is then recorded as revoked.
    pub fn expires(mut self, expires: Timestamp) -> Self {
        self.signature.options.expires = Some(expires);
        self
    }

    /// Not later than this long after sending; [`expires`](Self::expires) wins.
    pub fn expires_in(mut self, expires_in: Duration) -> Self {
        self.expires_in = Some(expires_in);
        self
    }

    /// After this time of a run the task is told to stop.
    pub fn soft_time_limit(mut self, limit: Duration) -> Self {
        self.signature.options.soft_time_limit = Some(limit);
        self
    }

    /// After this time of a run the task is ended.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.signature.options.time_limit = Some(limit);
        self
    }

    /// Whether the return value is dropped. How the task ended is recorded all the same.
    pub fn ignore_result(mut self, ignore: bool) -> Self {
        self.signature.options.ignore_result = Some(ignore);
        self
    }

    /// Says that an earlier try, of another process too, may have sent it already under its [id](Self::id): a run then asks
    /// first whether the task has ended.
    pub fn resent(mut self) -> Self {
        self.resent = true;
        self
    }

    /// Notes that the task is sent by the one with this context, for those who look at its history, and carries that
    /// one's trace on.
    pub fn child_of(mut self, context: &TaskContext) -> Self {
        let root = context.root_id().unwrap_or(context.id());
        self.signature.options.root_id = Some(root.clone());
        self.signature.options.parent_id = Some(context.id().clone());
        if let Some(trace) = context.trace() {
            let own = &mut self.signature.options.headers;
            *own = cardoon_protocol::carrying(own, trace);
        }
        self
    }

    /// The name of the task.
    pub fn task(&self) -> &str {
        &self.signature.task
    }

    /// The call as plain data.
    pub fn as_signature(&self) -> &Signature {
        &self.signature
    }

    pub(crate) fn is_resent(&self) -> bool {
        self.resent
    }

    pub(crate) fn known(&self) -> Option<&'static KnownTask> {
        self.known
    }

    /// Decides everything that is still open, and answers what the signature is broken by, if it is.
    pub(crate) fn resolve(
        &mut self,
        queue: &QueueName,
        now: Timestamp,
        new_id: impl FnOnce() -> TaskId,
    ) -> Result<()> {
        static NONE: SendDefaults =
            SendDefaults { queue: None, priority: None, expires: None, ignore_result: false };
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let defaults = self.known.map_or(&NONE, KnownTask::defaults);
        let options = &mut self.signature.options;
        options.id.get_or_insert_with(new_id);
        options.queue.get_or_insert_with(|| defaults.queue.as_ref().unwrap_or(queue).clone());
        options.priority = options.priority.or(defaults.priority);
        options.eta = options.eta.or(options.countdown.map(|countdown| now.plus(countdown)));
        let expires_in = self.expires_in.or(defaults.expires);
        options.expires = options.expires.or(expires_in.map(|expires_in| now.plus(expires_in)));
        options.ignore_result.get_or_insert(defaults.ignore_result);
        #[cfg(feature = "opentelemetry")]
        self.sending.replace(crate::trace::sending(&mut self.signature));
        Ok(())
    }

    fn of(signature: Signature) -> Self {
        Self {
            signature,
            expires_in: None,
            resent: false,
            known: None,
            broken: None,
            #[cfg(feature = "opentelemetry")]
            sending: None,
            output: PhantomData,
        }
    }

    /// Remembers what is wrong until the signature is sent. The first mistake stays.
    fn break_with(&mut self, error: impl FnOnce(&str) -> Error) {
        if self.broken.is_none() {
            self.broken = Some(error(&self.signature.task));
        }
    }
}

impl<T> Clone for TypedSignature<T> {
    fn clone(&self) -> Self {
        Self {
            signature: self.signature.clone(),
            expires_in: self.expires_in,
            resent: self.resent,
            known: self.known,
            broken: self.broken.clone(),
            #[cfg(feature = "opentelemetry")]
            sending: self.sending.clone(),
            output: PhantomData,
        }
    }
}

impl<T> fmt::Debug for TypedSignature<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Signature { task, args, kwargs, options } = &self.signature;
        f.debug_struct("TypedSignature")
            .field("task", task)
            .field("args", &String::from_utf8_lossy(args))
            .field("kwargs", &String::from_utf8_lossy(kwargs))
            .field("options", options)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

impl From<Signature> for TypedSignature<Value> {
    fn from(signature: Signature) -> Self {
        Self::of(signature)
    }
}

/// Writes the arguments of a typed call, one after the other.
#[derive(Debug)]
pub struct SignatureWriter {
    json: Vec<u8>,
    failure: Option<serde_json::Error>,
}

impl SignatureWriter {
    #[expect(clippy::new_without_default, reason = "it is only made by the code of the task attribute")]
    /// No arguments yet.
    pub fn new() -> Self {
        let mut json = Vec::with_capacity(64);
        json.push(b'[');
        Self { json, failure: None }
    }

    /// Adds the next argument.
    #[must_use]
    pub fn arg<A: Serialize>(mut self, argument: &A) -> Self {
        if self.json.len() > 1 {
            self.json.push(b',');
        }
        if let Err(error) = serde_json::to_writer(&mut self.json, argument) {
            self.failure.get_or_insert(error);
        }
        self
    }

    /// The call of `T` with these arguments.
    pub fn finish<T: crate::Task>(mut self) -> TypedSignature<T::Output> {
        self.json.push(b']');
        let mut signature = TypedSignature::named(T::NAME);
        signature.known = Some(T::known());
        match self.failure {
            None => signature.signature.args = self.json.into(),
            Some(error) => signature.break_with(|task| not_serializable(task, error)),
        }
        signature
    }
}

fn not_serializable(task: &str, error: serde_json::Error) -> Error {
    Error::new(Code::NotSerializable, format!("an argument of {task} cannot be written as JSON"))
        .hint("pass maps with text keys, and numbers that are finite")
        .source(error)
}

fn bad_name(what: &str, task: &str, error: &IdError) -> Error {
    Error::new(Code::BadName, format!("{what} of a call of {task} cannot be used: {error}"))
}
