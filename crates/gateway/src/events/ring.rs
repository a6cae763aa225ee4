use std::collections::VecDeque;
use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

use bytes::buf::Writer;
use bytes::{BufMut as _, Bytes, BytesMut};
use cardoon_core::Event;

use super::filter::EventFilter;

/// Events, and bytes of them, that are kept for readers who come late.
const MOST: usize = 8192;
const MOST_BYTES: usize = 4 << 20;
/// Of an event without its texts, about.
const BARE: usize = 200;

/// Where a reader stands: the number of the next event, in the count of one gateway's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) life: u64,
    pub(crate) next: u64,
}

/// The latest events. They are written when somebody reads them: when many come, most are gone before.
#[derive(Debug)]
pub(super) struct Ring {
    life: u64,
    /// The number of the first event that is kept.
    first: u64,
    /// The number of the first event since the last break; what was missed before it nobody counted.
    heard_from: u64,
    kept: VecDeque<Event>,
    bytes: usize,
    /// What was given to a reader of everything last, for the others who stand at the same place.
    last: Option<(u64, usize, Part)>,
}

/// A part of the stream for one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) bytes: Bytes,
    /// Where the reader stands after it.
    pub(super) next: u64,
}

/// Events that a reader does not get any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    /// How many; `None` where nobody counted.
    pub(super) missed: Option<u64>,
    /// Where the reader can read on.
    pub(super) on: u64,
}

impl Ring {
    pub(super) fn new(life: u64) -> Self {
        Self { life, first: 0, heard_from: 0, kept: VecDeque::new(), bytes: 0, last: None }
    }

    /// The number of the next event.
    pub(super) fn head(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    pub(super) fn place(&self, next: u64) -> Place {
        Place { life: self.life, next }
    }

    pub(super) fn push(&mut self, event: Event) {
        self.bytes += size(&event);
        self.kept.push_back(event);
        while self.kept.len() > MOST || self.bytes > MOST_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= size(&oldest);
            self.first += 1;
        }
    }

    /// Nobody listened for a while: who reads on from before that has missed what nobody counted.
    pub(super) fn break_off(&mut self) {
        self.first = self.head() + 1;
        self.heard_from = self.first;
        self.kept.clear();
        self.bytes = 0;
        self.last = None;
    }

    /// The number from which a reader who stands at `place` can read on, and whether it missed something.
    pub(super) fn join(&self, place: Option<Place>) -> (u64, bool) {
        match place {
            None => (self.head(), false),
            Some(Place { life, next }) if life == self.life && (self.first..=self.head()).contains(&next) => {
                (next, false)
            }
            Some(_) => (self.first, true),
        }
    }

    /// What a reader at `next` has lost, if it has.
    pub(super) fn lost(&self, next: u64) -> Option<Lost> {
        if next >= self.first {
            return None;
        }
        // Where the ring overflows, half of it is left before the reader is lost again.
        let spared = if self.first > self.heard_from { self.kept.len() as u64 / 2 } else { 0 };
        let on = self.first + spared;
        Some(Lost { missed: (next >= self.heard_from).then(|| on - next), on })
    }

    /// What follows for a reader at `next`, of at most about `room` bytes. It is empty if nothing does.
    pub(super) fn read(&mut self, next: u64, filter: &EventFilter, room: usize) -> Part {
        if !filter.admits_all() {
            return self.gather(next, room, |event| filter.admits(event));
        }
        if let Some((from, of_room, part)) = &self.last
            && (*from, *of_room) == (next, room)
        {
            return part.clone();
        }
        let part = self.gather(next, room, |_| true);
        if !part.bytes.is_empty() {
            self.last = Some((next, room, part.clone()));
        }
        part
    }

    fn gather(&self, next: u64, room: usize, admits: impl Fn(&Event) -> bool) -> Part {
        let skipped = usize::try_from(next.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let mut part = Part { bytes: Bytes::new(), next };
        let mut bytes = BytesMut::new().writer();
        for event in self.kept.iter().skip(skipped) {
            part.next += 1;
            if admits(event) {
                write(&mut bytes, self.place(part.next), event);
            }
            if bytes.get_ref().len() >= room {
                break;
            }
        }
        part.bytes = bytes.into_inner().freeze();
        part
    }
}

/// Writes an event for readers. Its id is the place after it, from which to go on.
fn write(bytes: &mut Writer<BytesMut>, after: Place, event: &Event) {
    // Writing to memory does not fail, and an event has nothing that JSON could not hold.
    let _ = write!(bytes, "id: {after}\nevent: {}\ndata: ", event.kind.as_str());
    let _ = serde_json::to_writer(&mut *bytes, event);
    let _ = bytes.write_all(b"\n\n");
}

/// About the memory that an event takes.
fn size(event: &Event) -> usize {
    let texts =
        event.detail.as_ref().map_or(0, String::len) + event.task.as_ref().map_or(0, |task| task.len());
    BARE + texts + event.worker.len()
}

/// What a reader has missed; `null` where nobody counted.
pub(super) fn gap(place: Place, missed: Option<u64>) -> Bytes {
    let missed = missed.map_or_else(|| "null".to_owned(), |missed| missed.to_string());
    format!("id: {place}\nevent: gap\ndata: {{\"missed\":{missed}}}\n\n").into()
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.life, self.next)
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (life, next) = text.split_once('-')?;
            Some(Self { life: u64::from_str_radix(life, 16).ok()?, next: next.parse().ok()? })
        };
        read().ok_or("a stream goes on from the id of an event")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::{EventKind, Timestamp};

    fn ring(events: usize) -> Ring {
        let mut ring = Ring::new(7);
        for n in 0..events {
            ring.push(event(&n.to_string()));
        }
        ring
    }

    fn event(task: &str) -> Event {
        let base = Event::of_worker(EventKind::TaskSent, "w".into(), Timestamp(0));
        Event { task: Some(task.into()), ..base }
    }

    fn names(part: &Part) -> usize {
        String::from_utf8_lossy(&part.bytes).matches("event: task-sent").count()
    }

    #[test]
    fn a_reader_goes_on_where_it_stood() {
        let mut ring = ring(10);
        let place: Place = "7-4".parse().unwrap();
        assert_eq!(ring.join(Some(place)), (4, false));
        let part = ring.read(4, &EventFilter::default(), usize::MAX);
        assert_eq!((names(&part), part.next), (6, 10));
        assert_eq!(names(&ring.read(10, &EventFilter::default(), usize::MAX)), 0);
    }

    #[test]
    fn who_comes_from_another_life_or_after_a_break_has_missed_something() {
        let mut ring = ring(10);
        assert_eq!(ring.join(None), (10, false));
        assert_eq!(ring.join(Some(Place { life: 8, next: 4 })), (0, true));
        assert_eq!(ring.join(Some(Place { life: 7, next: 11 })), (0, true));
        ring.break_off();
        assert_eq!(ring.join(Some(Place { life: 7, next: 10 })), (11, true));
        assert_eq!(ring.join(Some(Place { life: 7, next: 11 })), (11, false));
    }

    #[test]
    fn the_ring_is_bounded_and_a_reader_that_lags_learns_how_many_it_lost() {
        let mut ring = ring(MOST + 100);
        assert_eq!(ring.kept.len(), MOST);
        let half = 100 + MOST as u64 / 2;
        assert_eq!(ring.lost(40), Some(Lost { missed: Some(half - 40), on: half }));
        assert_eq!(ring.lost(100), None);
        ring.push(event(&"x".repeat(2 * MOST_BYTES)));
        assert!(ring.bytes <= MOST_BYTES && ring.kept.is_empty());
        assert_eq!(ring.first, ring.head());
    }

    #[test]
    fn how_many_were_missed_during_a_break_nobody_knows() {
        let mut ring = ring(10);
        ring.break_off();
        let unknown = |on| Some(Lost { missed: None, on });
        assert_eq!(ring.lost(10), unknown(11));
        for n in 0..MOST {
            ring.push(event(&n.to_string()));
        }
        assert_eq!((ring.lost(10), ring.lost(11)), (unknown(11), None), "nothing has been lost since");
        ring.push(event("one more"));
        let half = 12 + MOST as u64 / 2;
        assert_eq!(ring.lost(10), unknown(half));
        assert_eq!(ring.lost(11), Some(Lost { missed: Some(half - 11), on: half }));
    }

    #[test]
    fn a_part_keeps_its_room_and_a_filter_skips_the_others() {
        let mut ring = ring(10);
        let part = ring.read(0, &EventFilter::default(), 1);
        assert_eq!((names(&part), part.next), (1, 1));
        let filter = EventFilter { task: Some("7".into()), ..EventFilter::default() };
        let part = ring.read(0, &filter, usize::MAX);
        assert_eq!((names(&part), part.next), (1, 10));
    }
}
