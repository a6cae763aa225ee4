//! From signatures to stored messages.

use std::time::Duration;

use cardoon_broker::{Broker, Publish, Published};
use cardoon_core::{Event, EventKind, TaskId, Timestamp};
use cardoon_errors::{Applied, Code, Error, Result};
use cardoon_runtime::ids;
use futures_util::future::join;

use crate::{App, TypedSignature};

/// How often a publish is sent whose answer stays unknown.
const TRIES: u32 = 5;
/// The pause before the second try; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Messages per publish of a long list: large enough for one transaction to pay, small enough to encode beside it.
const CHUNK: usize = 1024;

/// Decides what is open in `signature`; it has an id and a queue afterwards.
pub(crate) fn resolve<T>(app: &App, signature: &mut TypedSignature<T>, now: Timestamp) -> Result<()> {
    signature.resolve(app.default_queue(), now, ids::task_id)
}

/// Sends one signature.
pub(crate) async fn send<T>(app: &App, mut signature: TypedSignature<T>) -> Result<TaskId> {
    if let Some(inline) = app.inline_mode() {
        return Box::pin(inline.send(app, signature)).await;
    }
    resolve(app, &mut signature, app.clock().now())?;
    store(app, signature).await
}

/// Stores a resolved signature in the broker.
pub(crate) async fn store<T>(app: &App, signature: TypedSignature<T>) -> Result<TaskId> {
    let chunk = Chunk { signatures: vec![Ok(signature)] };
    let mut answers = chunk.deliver(app, None).await;
    answers.pop().unwrap_or_else(|| Err(missing_answer()))
}

/// Sends signatures in order, and answers each. While the broker stores one chunk, the next one is encoded.
pub(crate) async fn send_each<T>(
    app: &App,
    mut signatures: impl Iterator<Item = TypedSignature<T>> + Send,
) -> Vec<Result<TaskId>> {
    let mut answers = Vec::with_capacity(signatures.size_hint().0);
    if let Some(inline) = app.inline_mode() {
        for signature in signatures {
            answers.push(Box::pin(inline.send(app, signature)).await);
        }
        return answers;
    }
    let mut current = Chunk::take(app, &mut signatures);
    let mut encoded = current.encode(app, false);
    while !current.signatures.is_empty() {
        let next = async {
            let next = Chunk::take(app, &mut signatures);
            let encoded = next.encode(app, false);
            (next, encoded)
        };
        // The publish is polled first: the broker is at work before the next chunk is encoded.
        let (stored, next) = join(current.deliver(app, Some(encoded)), next).await;
        answers.extend(stored);
        (current, encoded) = next;
    }
    answers
}

/// Signatures that are sent together. Those that cannot be sent keep their place, with the reason.
struct Chunk<T> {
    signatures: Vec<Result<TypedSignature<T>>>,
}

impl<T> Chunk<T> {
    fn take(app: &App, signatures: &mut impl Iterator<Item = TypedSignature<T>>) -> Self {
        let now = app.clock().now();
        let resolved = signatures.take(CHUNK).map(|mut signature| {
            resolve(app, &mut signature, now)?;
            Ok(signature)
        });
        Self { signatures: resolved.collect() }
    }

    fn encode(&self, app: &App, resent: bool) -> Vec<Result<Publish>> {
        self.signatures.iter().map(|signature| encode(app, signature.as_ref(), resent)).collect()
    }

    /// Publishes the chunk until every answer is known or the tries are used up. Messages are encoded again for
    /// another try, which is rare, rather than copied for it each time.
    async fn deliver(&self, app: &App, encoded: Option<Vec<Result<Publish>>>) -> Vec<Result<TaskId>> {
        let encoded = encoded.unwrap_or_else(|| self.encode(app, false));
        let everything = (0..self.signatures.len()).collect();
        let mut answers: Vec<_> = self.signatures.iter().map(|_| Err(missing_answer())).collect();
        let mut open = self.publish(app, everything, encoded, &mut answers).await;
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            if open.is_empty() {
                break;
            }
            app.clock().sleep(pause).await;
            pause *= 2;
            let again =
                open.iter().map(|index| encode(app, self.signatures[*index].as_ref(), true)).collect();
            open = self.publish(app, open, again, &mut answers).await;
        }
        self.announce(app, &answers);
        answers
    }

    /// Publishes the messages of `indices` once, notes their answers, and returns those whose answer is unknown.
    async fn publish(
        &self,
        app: &App,
        indices: Vec<usize>,
        messages: Vec<Result<Publish>>,
        answers: &mut [Result<TaskId>],
    ) -> Vec<usize> {
        let mut batch = Vec::with_capacity(messages.len());
        let mut sent = Vec::with_capacity(messages.len());
        for (index, message) in indices.into_iter().zip(messages) {
            match message {
                Ok(message) => {
                    answers[index] = Ok(message.message.id.clone());
                    batch.push(message);
                    sent.push(index);
                }
                Err(error) => answers[index] = Err(error),
            }
        }
        if batch.is_empty() {
            return Vec::new();
        }
        let stored = app.stores().broker.publish(batch).await;
        let mut unknown = Vec::new();
        for (index, stored) in sent.into_iter().zip(stored) {
            match stored {
                Ok(Published::Stored | Published::Duplicate) => {}
                Err(error) => {
                    if error.was_applied() == Applied::Unknown {
                        unknown.push(index);
                    }
                    answers[index] = Err(error);
                }
            }
        }
        unknown
    }

    /// Tells those who listen to events.
    fn announce(&self, app: &App, answers: &[Result<TaskId>]) {
        let broker = &app.stores().broker;
        if !broker.has_listeners() {
            return;
        }
        let sent = self.signatures.iter().zip(answers).filter(|(_, answer)| answer.is_ok());
        let events: Vec<_> =
            sent.filter_map(|(signature, _)| signature.as_ref().ok()).map(|s| sent_event(app, s)).collect();
        emit(broker.as_ref(), events);
    }
}

fn emit(broker: &dyn Broker, events: Vec<Event>) {
    if !events.is_empty() {
        broker.emit(events);
    }
}

fn encode<T>(app: &App, signature: Result<&TypedSignature<T>, &Error>, resent: bool) -> Result<Publish> {
    let typed = signature.map_err(Clone::clone)?;
    let signature = typed.as_signature();
    let options = &signature.options;
    let id = options.id.clone().ok_or_else(missing_answer)?;
    Ok(Publish {
        queue: options.queue.clone().unwrap_or_default(),
        message: cardoon_protocol::encode_within(signature, id, app.origin(), app.limits())?,
        not_before: options.eta,
        resent: resent || typed.is_resent(),
    })
}

fn sent_event<T>(app: &App, signature: &TypedSignature<T>) -> Event {
    let signature = signature.as_signature();
    Event {
        id: signature.options.id.clone(),
        task: Some(signature.task.as_str().into()),
        queue: signature.options.queue.clone(),
        ..Event::of_worker(EventKind::TaskSent, app.origin().into(), app.clock().now())
    }
}

fn missing_answer() -> Error {
    Error::new(Code::Internal, "the broker gave no answer to a message").applied(Applied::Unknown)
}
