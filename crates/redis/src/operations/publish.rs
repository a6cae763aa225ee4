//! Storing messages.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use cardoon_broker::{Publish, Published};
use cardoon_core::QueueName;
use cardoon_errors::{Code, Error, Result};

use super::change::{Applied, Change};
use super::delayed::{self, Place};
use super::messages;
use crate::keys;
use crate::link::items;
use crate::store::{MAX_MESSAGE_BYTES, Shared};

/// Messages and bytes that one command pushes at most.
const MOST: usize = 512;
const MOST_BYTES: usize = 1 << 20;

/// Bytes that are sent before an answer is waited for.
const WINDOW: usize = 4 << 20;

/// Stores messages; answers each, in order.
pub(crate) async fn publish(shared: &Shared, batch: Vec<Publish>) -> Vec<Result<Published>> {
    let mut answers: Vec<Option<Result<Published>>> =
        batch.iter().map(|publish| check(publish).err().map(Err)).collect();
    let open = |place: &usize| answers[*place].is_none();
    let queues = (0..batch.len()).filter(open).map(|place| &batch[place].queue);
    shared.introduce(queues.collect::<HashSet<_>>()).await;
    let now = shared.now();
    let (delayed, ready): (Vec<usize>, Vec<usize>) = (0..batch.len())
        .filter(open)
        .partition(|place| batch[*place].not_before.is_some_and(|due| due > now));
    let (delayed, at_once) = apart(shared, &batch, delayed, &mut answers).await;
    let ready = ready.into_iter().chain(at_once);
    push(shared, &batch, ready, &mut answers).await;
    put_off(shared, &batch, delayed, &mut answers).await;
    let missing = || Err(Error::new(Code::Internal, "a message was not answered"));
    answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect()
}

/// Fails for a message that cannot be stored.
fn check(Publish { queue, message, .. }: &Publish) -> Result<()> {
    keys::check(queue)?;
    if message.fits(MAX_MESSAGE_BYTES) {
        return Ok(());
    }
    let text = format!("message {} has {} bytes", message.id, message.size());
    Err(Error::new(Code::TooLarge, text)
        .checked(format!("the broker takes {MAX_MESSAGE_BYTES} bytes"))
        .hint("store the data elsewhere, and send where it is"))
}

type Answers = [Option<Result<Published>>];

/// Parts delayed messages into those that wait in the delayed store, and those that go to their lists now: of revoked
/// tasks, whose end is to be recorded, and of queues that only Celery's workers may take from. These know nothing of our
/// delayed store, and wait by themselves for the time that the message says.
async fn apart(
    shared: &Shared,
    batch: &[Publish],
    places: Vec<usize>,
    answers: &mut Answers,
) -> (Vec<usize>, Vec<usize>) {
    if places.is_empty() {
        return (places, Vec::new());
    }
    match exceptions(shared, batch, &places).await {
        Ok(now) => places.into_iter().partition(|place| !now.contains(place)),
        Err(error) => {
            for place in places {
                answers[place] = Some(Err(error.clone()));
            }
            (Vec::new(), Vec::new())
        }
    }
}

async fn exceptions(shared: &Shared, batch: &[Publish], places: &[usize]) -> Result<HashSet<usize>> {
    let queues: Vec<&QueueName> =
        places.iter().map(|place| &batch[*place].queue).collect::<HashSet<_>>().into_iter().collect();
    let attended = shared.attended(&queues).await?;
    let mut pipeline = redis::pipe();
    for page in places.chunks(MOST) {
        let command = pipeline.cmd("ZMSCORE").arg(keys::REVOKED);
        for place in page {
            command.arg(batch[*place].message.id.as_str());
        }
    }
    let answers = shared.main.ask_each(&pipeline).await?.into_iter();
    let mut now = HashSet::new();
    let scores = answers.map(|answer| items(answer, "ZMSCORE")).collect::<Result<Vec<_>>>()?;
    for (place, score) in places.iter().zip(scores.into_iter().flatten()) {
        let publish = &batch[*place];
        let celery_waits = !attended.contains(&publish.queue) && says_eta(&publish.message.headers);
        if score != redis::Value::Nil || celery_waits {
            now.insert(*place);
        }
    }
    Ok(now)
}

/// Whether the headers hold a time that a worker waits for.
fn says_eta(headers: &[u8]) -> bool {
    const NAME: &[u8] = b"\"eta\":";
    let place = headers.windows(NAME.len()).position(|window| window == NAME);
    place.is_some_and(|place| headers[place + NAME.len()..].trim_ascii_start().starts_with(b"\""))
}

/// Pushes messages to the backs of their lists.
async fn push(
    shared: &Shared,
    batch: &[Publish],
    places: impl Iterator<Item = usize>,
    answers: &mut Answers,
) {
    let mut window = Window::default();
    for place in places {
        let Publish { queue, message, resent, .. } = &batch[place];
        let raw = messages::write(queue, message, &shared.reply_to, *resent);
        window.add(messages::list(queue, message), place, raw);
        if window.bytes >= WINDOW {
            std::mem::take(&mut window).send(shared, answers).await;
        }
    }
    window.send(shared, answers).await;
}

/// What is pushed together.
#[derive(Default)]
struct Window {
    pushes: Vec<Push>,
    /// The last push to each list.
    last: HashMap<String, usize>,
    bytes: usize,
}

struct Push {
    list: String,
    places: Vec<usize>,
    raws: Vec<Bytes>,
    bytes: usize,
}

impl Window {
    fn add(&mut self, list: String, place: usize, raw: Bytes) {
        self.bytes += raw.len();
        let number = self.last.get(&list).copied().filter(|number| self.pushes[*number].has_room());
        let number = number.unwrap_or(self.pushes.len());
        if number == self.pushes.len() {
            self.pushes.push(Push { list: list.clone(), places: Vec::new(), raws: Vec::new(), bytes: 0 });
            self.last.insert(list, number);
        }
        let push = &mut self.pushes[number];
        push.bytes += raw.len();
        push.places.push(place);
        push.raws.push(raw);
    }

    async fn send(self, shared: &Shared, answers: &mut Answers) {
        if self.pushes.is_empty() {
            return;
        }
        let mut pipeline = redis::pipe();
        for push in &self.pushes {
            let command = pipeline.cmd("LPUSH").arg(&push.list);
            for raw in &push.raws {
                command.arg(&raw[..]);
            }
        }
        let pushed = match shared.main.ask_all(&pipeline).await {
            Ok(pushed) => pushed,
            Err(error) => self.pushes.iter().map(|_| Err(error.clone())).collect(),
        };
        for (push, pushed) in self.pushes.into_iter().zip(pushed) {
            for place in push.places {
                answers[place] = Some(pushed.as_ref().map(|_| Published::Stored).map_err(Clone::clone));
            }
        }
    }
}

impl Push {
    fn has_room(&self) -> bool {
        self.places.len() < MOST && self.bytes < MOST_BYTES
    }
}

/// Puts messages into the delayed store.
async fn put_off(shared: &Shared, batch: &[Publish], places: Vec<usize>, answers: &mut Answers) {
    let change = |place: &usize| {
        let Publish { queue, message, not_before, resent } = &batch[*place];
        let (id, attempt) = (&message.id, message.attempt);
        let list = messages::list(queue, message);
        let raw = messages::write(queue, message, &shared.reply_to, *resent);
        let due = not_before.unwrap_or_default();
        let change = Change::new().if_no_member(keys::DELAYED, keys::delayed_member(id, attempt));
        delayed::insert(change, &Place { id, attempt, queue, list: &list, due }, &raw)
    };
    let changes: Vec<Change> = places.iter().map(change).collect();
    let applied = shared.apply(&shared.main, &changes).await;
    for (place, applied) in places.into_iter().zip(applied) {
        answers[place] = Some(applied.map(|applied| match applied {
            Applied::Yes => Published::Stored,
            Applied::Refused(_) => Published::Duplicate,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_the_headers_is_seen() {
        assert!(says_eta(br#"{"eta": "2031-01-01T00:00:00+00:00"}"#));
        assert!(!says_eta(br#"{"eta":null}"#));
        assert!(!says_eta(b"{}"));
    }
}
