use std::time::Duration;

use anyhow::Context;
use cardoon::{App, Priority, TaskState, TypedSignature};
use cardoon_core::TaskId;
use serde_json::{Map, Value, json};

use crate::CeleryClient;

/// A call of a task, in words that both sides have.
#[derive(Debug, Clone)]
pub struct Call {
    pub task: &'static str,
    /// A list.
    pub args: Value,
    /// An object.
    pub kwargs: Value,
    pub countdown: Option<Duration>,
    pub eta_in: Option<Duration>,
    pub expires_in: Option<Duration>,
    /// As Celery counts on Redis: 0 is the most urgent, 9 the least.
    pub level: Option<u8>,
    pub ignore_result: bool,
    /// What only their producer can be told: `serializer` and `compression`.
    pub theirs: Vec<(&'static str, &'static str)>,
}

impl Call {
    pub fn new(task: &'static str, args: Value) -> Self {
        Self {
            task,
            args,
            kwargs: json!({}),
            countdown: None,
            eta_in: None,
            expires_in: None,
            level: None,
            ignore_result: false,
            theirs: Vec::new(),
        }
    }

    /// The options of `send_task`.
    pub(crate) fn options(&self) -> Value {
        let mut options = Map::new();
        let mut seconds = |name: &str, time: Option<Duration>| {
            time.map(|time| options.insert(name.into(), json!(time.as_secs_f64())));
        };
        seconds("countdown", self.countdown);
        seconds("eta_in", self.eta_in);
        seconds("expires", self.expires_in);
        self.level.map(|level| options.insert("priority".into(), json!(level)));
        if self.ignore_result {
            options.insert("ignore_result".into(), json!(true));
        }
        options.extend(self.theirs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        Value::Object(options)
    }

    fn signature(&self) -> TypedSignature<Value> {
        let signature = TypedSignature::named(self.task).args(&self.args).kwargs(&self.kwargs);
        let signature = signature.ignore_result(self.ignore_result);
        let with = |signature: TypedSignature<Value>, time: Option<Duration>, set: fn(_, _) -> _| match time {
            Some(time) => set(signature, time),
            None => signature,
        };
        let signature = with(signature, self.countdown.or(self.eta_in), TypedSignature::countdown);
        let signature = with(signature, self.expires_in, TypedSignature::expires_in);
        match self.level {
            Some(level) => signature.priority(our_priority(level)),
            None => signature,
        }
    }
}

/// One of ours whose tasks lie in the list of a level.
fn our_priority(level: u8) -> Priority {
    match level {
        0..3 => Priority::default(),
        3..6 => Priority::new(3),
        6..9 => Priority::new(2),
        9.. => Priority::LOWEST,
    }
}

/// How a task ended, as its producer sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    Value(Value),
    Raised {
        kind: String,
        message: String,
    },
    /// Nobody has said anything.
    Unknown,
}

/// Sends tasks and reads their results.
pub enum Producer {
    Ours(App),
    Theirs(Box<CeleryClient>),
}

impl Producer {
    pub async fn send(&mut self, call: &Call) -> anyhow::Result<TaskId> {
        self.send_many(call, 1).await?.pop().context("no id")
    }

    /// Sends the same call many times.
    pub async fn send_many(&mut self, call: &Call, count: usize) -> anyhow::Result<Vec<TaskId>> {
        match self {
            Self::Theirs(client) => client.send(call, count).await,
            Self::Ours(app) => {
                let handles = app.send_many((0..count).map(|_| call.signature())).await?;
                Ok(handles.iter().map(|handle| handle.id().clone()).collect())
            }
        }
    }

    /// Waits for a task's end, at most `limit`.
    pub async fn outcome(&mut self, id: &TaskId, limit: Duration) -> anyhow::Result<Ended> {
        match self {
            Self::Theirs(client) => client.outcome(id, limit.as_secs_f64()).await,
            Self::Ours(app) => our_outcome(app, id, limit).await,
        }
    }
}

async fn our_outcome(app: &App, id: &TaskId, limit: Duration) -> anyhow::Result<Ended> {
    let Some(record) = app.stores().results.wait(id, Some(limit)).await? else { return Ok(Ended::Unknown) };
    if record.state == TaskState::Success {
        let value = record.value.as_deref().map_or(Ok(Value::Null), serde_json::from_slice)?;
        return Ok(Ended::Value(value));
    }
    Ok(match record.failure {
        Some(failure) => Ended::Raised { kind: failure.kind, message: failure.message },
        None => Ended::Raised { kind: format!("{:?}", record.state), message: String::new() },
    })
}
