use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::Publish;
use cardoon_core::{Priority, QueueName, Signature, SignatureOptions, TaskId, Timestamp};
use cardoon_errors::{Code, Error, Result};
use cardoon_protocol::Limits;

use super::said::{SaidEntry, SaidOptions};

/// What a periodic task sends at each of its ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    signature: Signature,
    queue: QueueName,
    /// How long after it was sent it may still begin.
    expires_in: Option<Duration>,
}

impl Call {
    /// The call of an entry. `queue`: that of tasks which name none.
    pub(super) fn read(entry: &SaidEntry, queue: &QueueName) -> Result<Self> {
        let said = &entry.options;
        let named = said.queue.as_ref().map(|name| read_queue(name)).transpose()?;
        Ok(Self {
            signature: Signature {
                task: entry.task.clone(),
                args: Bytes::from(entry.args.clone()),
                kwargs: Bytes::from(entry.kwargs.clone()),
                options: read_options(said)?,
            },
            queue: named.unwrap_or_else(|| queue.clone()),
            expires_in: span("expires", said.expires_in)?,
        })
    }

    pub(super) fn task(&self) -> &str {
        &self.signature.task
    }

    pub(super) fn queue(&self) -> &QueueName {
        &self.queue
    }

    /// The message of a tick that is sent `now`. Another scheduler may have sent it already, so its run has to register: a
    /// tick whose task has ended does not run again.
    pub(super) fn publish(
        &self,
        id: &TaskId,
        now: Timestamp,
        origin: &str,
        limits: &Limits,
    ) -> Result<Publish> {
        let mut signature = self.signature.clone();
        let options = &mut signature.options;
        options.eta = options.eta.or(options.countdown.map(|countdown| now.plus(countdown)));
        options.expires = options.expires.or(self.expires_in.map(|after| now.plus(after)));
        let not_before = options.eta;
        let message = cardoon_protocol::encode_within(&signature, id.clone(), origin, limits)?;
        Ok(Publish { queue: self.queue.clone(), message, not_before, resent: true })
    }
}

fn read_options(said: &SaidOptions) -> Result<SignatureOptions> {
    Ok(SignatureOptions {
        priority: said.priority.map(read_priority).transpose()?,
        eta: time("eta", said.eta)?,
        countdown: span("countdown", said.countdown)?,
        expires: time("expires", said.expires)?,
        soft_time_limit: span("soft_time_limit", said.soft_time_limit)?,
        time_limit: span("time_limit", said.time_limit)?,
        ignore_result: said.ignore_result,
        headers: said.headers.clone().map(Bytes::from).unwrap_or_default(),
        ..SignatureOptions::default()
    })
}

fn read_queue(name: &str) -> Result<QueueName> {
    QueueName::new(name).map_err(|reason| unreadable("queue", name, &reason.to_string()))
}

fn read_priority(level: i64) -> Result<Priority> {
    match u8::try_from(level) {
        Ok(level @ 0..=9) => Ok(Priority::new(level)),
        _ => Err(unreadable("priority", &level.to_string(), "it goes from 0 to 9, and 9 is the most urgent")),
    }
}

fn span(name: &str, secs: Option<f64>) -> Result<Option<Duration>> {
    let read = |secs: f64| {
        Duration::try_from_secs_f64(secs.max(0.0))
            .map_err(|_| unreadable(name, &secs.to_string(), "it is no length of time"))
    };
    secs.map(read).transpose()
}

fn time(name: &str, secs: Option<f64>) -> Result<Option<Timestamp>> {
    let read = |secs: f64| {
        if secs.is_finite() && secs.abs() < 1e13 {
            return Ok(Timestamp((secs * 1000.0).ceil() as i64));
        }
        Err(unreadable(name, &secs.to_string(), "it is no time"))
    };
    secs.map(read).transpose()
}

fn unreadable(name: &str, value: &str, reason: &str) -> Error {
    Error::new(Code::BadSetting, format!("cannot read `{}` for {name}: {reason}", value.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: SaidOptions) -> Result<Call> {
        let entry = SaidEntry {
            task: "tasks.add".into(),
            args: "[1]".into(),
            kwargs: "{}".into(),
            options,
            ..SaidEntry::default()
        };
        Call::read(&entry, &QueueName::default())
    }

    fn publish(options: SaidOptions) -> Publish {
        let id = TaskId::new("a").unwrap();
        read(options).unwrap().publish(&id, Timestamp(10_000), "beat", &Limits::default()).unwrap()
    }

    #[test]
    fn a_tick_is_a_message_that_registers() {
        let publish = publish(SaidOptions::default());
        assert!(publish.resent);
        assert_eq!((publish.queue.as_str(), publish.message.task.as_str()), ("celery", "tasks.add"));
        assert!(publish.message.body.starts_with(b"[[1],{}"), "{:?}", publish.message.body);
    }

    #[test]
    fn spans_count_from_when_it_is_sent() {
        let publish = publish(SaidOptions {
            queue: Some("low".into()),
            priority: Some(9),
            countdown: Some(2.0),
            expires_in: Some(30.0),
            ..SaidOptions::default()
        });
        assert_eq!(publish.queue.as_str(), "low");
        assert_eq!(publish.message.priority.level(), 9);
        assert_eq!(publish.not_before, Some(Timestamp(12_000)));
        assert_eq!(publish.message.expires, Some(Timestamp(40_000)));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let of = |options| read(options).unwrap_err().message().to_owned();
        let priority = SaidOptions { priority: Some(10), ..SaidOptions::default() };
        assert!(of(priority).starts_with("cannot read `10` for priority"));
        let queue = SaidOptions { queue: Some(String::new()), ..SaidOptions::default() };
        assert_eq!(of(queue), "cannot read `` for queue: it is empty");
        let span = SaidOptions { expires_in: Some(f64::INFINITY), ..SaidOptions::default() };
        assert_eq!(of(span), "cannot read `inf` for expires: it is no length of time");
    }
}
