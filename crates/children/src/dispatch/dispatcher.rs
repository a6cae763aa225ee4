use std::collections::{BTreeMap, HashMap, VecDeque};

use super::ChildId;
use super::desk::{Desk, Stage};
use super::pace::{AHEAD_MICROS, Paces};
use crate::frame::Tag;

/// Calls that a child may hold behind the one that it runs.
const MOST_AHEAD: usize = 63;

/// A child that has reported nothing for so long gives back what waits behind its call, in milliseconds.
pub(super) const QUIET_MILLIS: u64 = 5;

/// Pauses before a child is started again after one that never was ready; doubled each time.
pub(super) const FIRST_PAUSE_MILLIS: u64 = 50;
pub(super) const LONGEST_PAUSE_MILLIS: u64 = 5_000;

/// What children there are to be.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub children: usize,
    pub kind: Kind,
    /// A child is replaced after so many calls.
    pub max_calls: Option<u64>,
}

/// How a child runs calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One after the other, on its main thread. It notes which one it runs, so others may wait behind that.
    Process,
    /// So many at once, in threads. None of them can be ended by itself.
    Threads { lanes: usize },
    /// So many at once, as coroutines. One that goes on although it was interrupted holds up the others.
    Loop { lanes: usize },
}

impl Kind {
    /// Calls that a child runs at once.
    pub fn lanes(self) -> usize {
        match self {
            Self::Process => 1,
            Self::Threads { lanes } | Self::Loop { lanes } => lanes,
        }
    }
}

/// What must be seen to when a call is given to a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Nothing: it may wait behind others.
    Usual,
    /// It may have killed a worker before. It is marked as begun before a child has it, and begins at once.
    Alone,
    /// The same, and it must not begin twice.
    Once,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    Submitted {
        tag: Tag,
        task: u32,
        care: Care,
    },
    /// A child can take calls.
    Ready(ChildId),
    /// The answer to [`Command::Recall`]: those that do not begin there.
    Recalled {
        child: ChildId,
        tags: Vec<Tag>,
    },
    /// A child is gone, and its last words have been heard. `running`: the call that it last began.
    Died {
        child: ChildId,
        running: Option<Tag>,
    },
    /// A call must end, or not begin.
    Abort(Tag),
    /// Nothing new begins: what has not begun is given up.
    CallOffAll,
    Resize(usize),
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Start(ChildId),
    /// User code of the call may begin from now on.
    Mark(Tag),
    Give {
        child: ChildId,
        tags: Vec<Tag>,
    },
    Recall {
        child: ChildId,
        tags: Vec<Tag>,
    },
    /// Interrupt a call in a child that runs several: the child lives on.
    Interrupt {
        child: ChildId,
        tag: Tag,
    },
    Kill(ChildId),
    /// Let it end.
    Stop(ChildId),
    End {
        tag: Tag,
        end: End,
    },
}

/// How a call ended that did not report an end itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// User code has not begun and will not.
    Unstarted,
    /// This child of its died.
    Died(ChildId),
    /// Its child was killed, because of it or of another call that had to end.
    Killed,
}

#[derive(Debug)]
pub(super) struct Submitted {
    pub(super) task: u32,
    pub(super) care: Care,
    pub(super) place: Place,
    pub(super) begun: bool,
    pub(super) aborted: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Line { since: u64 },
    Child { child: ChildId, micros: u64 },
}

/// Gives calls to children.
#[derive(Debug)]
pub struct Dispatcher {
    pub(super) shape: Shape,
    pub(super) desks: BTreeMap<ChildId, Desk>,
    /// What waits for a child, in order.
    pub(super) line: VecDeque<Tag>,
    pub(super) calls: HashMap<Tag, Submitted>,
    /// Recalls without an answer, per child in order: what was asked for, and when.
    pub(super) asked: HashMap<ChildId, VecDeque<(u64, Vec<Tag>)>>,
    /// Calls that were interrupted in children of several lanes, and when.
    pub(super) interrupted: HashMap<Tag, (ChildId, u64)>,
    pub(super) paces: Paces,
    last_child: u64,
    /// Starts in a row after which no child was ready.
    pub(super) failed_starts: u32,
    pub(super) start_after: u64,
    pub(super) called_off: bool,
    pub(super) commands: Vec<Command>,
}

impl Dispatcher {
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            desks: BTreeMap::new(),
            line: VecDeque::new(),
            calls: HashMap::new(),
            asked: HashMap::new(),
            interrupted: HashMap::new(),
            paces: Paces::default(),
            last_child: 0,
            failed_starts: 0,
            start_after: 0,
            called_off: false,
            commands: Vec::new(),
        }
    }

    /// Takes one event; `now` is of the boot-time clock, in milliseconds. Call [`Self::advance`] after a batch of them.
    pub fn apply(&mut self, event: Event, now: u64) {
        match event {
            Event::Submitted { tag, task, care } => self.submit(tag, task, care, now),
            Event::Ready(child) => self.ready(child),
            Event::Recalled { child, tags } => self.recalled(child, &tags, now),
            Event::Died { child, running } => self.died(child, running, now),
            Event::Abort(tag) => self.abort(tag, now),
            Event::CallOffAll => self.call_off_all(now),
            Event::Resize(children) => self.shape.children = children,
        }
    }

    /// A child reports the end of a call. False if it does not have that call: then the report counts for nothing.
    pub fn ended(&mut self, child: ChildId, tag: Tag, micros: u64, now: u64) -> bool {
        let Some(Submitted { task, place: Place::Child { child: place, micros: expected }, .. }) =
            self.calls.get(&tag)
        else {
            return false;
        };
        if *place != child {
            return false;
        }
        self.paces.record(*task, micros);
        let expected = *expected;
        self.calls.remove(&tag);
        if let Some(desk) = self.desks.get_mut(&child) {
            desk.take(tag, expected);
            desk.quiet_since = now;
        }
        true
    }

    /// Does what the time asks for, and gives calls to children.
    pub fn advance(&mut self, now: u64) {
        self.recall_from_quiet(now);
        self.kill_silent(now);
        self.kill_stuck(now);
        self.kill_unwilling(now);
        self.give_up_old(now);
        self.place(now);
        self.keep_number(now);
    }

    /// When [`Self::advance`] must be called even if nothing happens.
    pub fn next_deadline(&self) -> Option<u64> {
        let noting = || self.desks.values().filter(|_| self.shape.kind == Kind::Process);
        let quiet = noting().filter(|desk| desk.may_recall()).map(|desk| desk.quiet_since + QUIET_MILLIS);
        let unseen = noting().filter_map(|desk| desk.look_at(&self.calls));
        let start = (self.missing() > 0).then_some(self.start_after);
        quiet.chain(unseen).chain(self.force_due()).chain(self.line_due()).chain(start).min()
    }

    /// Takes what is to be done, in order.
    pub fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// The child that has the call.
    pub fn child_of(&self, tag: Tag) -> Option<ChildId> {
        match self.calls.get(&tag)?.place {
            Place::Child { child, .. } => Some(child),
            Place::Line { .. } => None,
        }
    }

    /// Children that have reported nothing for a while, and of whose call it is not known whether it has begun. Each is
    /// named once in a while.
    pub fn unseen(&mut self, now: u64) -> Vec<ChildId> {
        let mut unseen = Vec::new();
        for (child, desk) in &mut self.desks {
            let due = desk.look_at(&self.calls).is_some_and(|due| now >= due);
            if due {
                desk.looked_at = now;
                unseen.push(*child);
            }
        }
        unseen
    }

    /// Whether so many calls have been given to the child that it has grown by them, and not by its imports; if so it is
    /// replaced when its calls have ended. False if it was about to be.
    pub fn replace_grown(&mut self, child: ChildId) -> bool {
        let grown = self.desks.get(&child).is_some_and(|desk| desk.stage == Stage::Open && desk.given > 0);
        if grown {
            self.retire(child);
        }
        grown
    }

    /// A call's begin was reported or seen. False if that is known, or the child does not have that call.
    pub fn began(&mut self, child: ChildId, tag: Tag) -> bool {
        let here =
            |call: &&mut Submitted| matches!(call.place, Place::Child { child: place, .. } if place == child);
        let call = self.calls.get_mut(&tag).filter(here);
        call.is_some_and(|call| !std::mem::replace(&mut call.begun, true))
    }

    /// Whether a child can take calls.
    pub fn is_open(&self) -> bool {
        self.desks.values().any(|desk| desk.stage == Stage::Open)
    }

    /// Whether no call is left.
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    fn submit(&mut self, tag: Tag, task: u32, care: Care, now: u64) {
        let call = Submitted { task, care, place: Place::Line { since: now }, begun: false, aborted: false };
        self.calls.insert(tag, call);
        if self.called_off {
            self.end(tag, End::Unstarted);
        } else {
            self.line.push_back(tag);
        }
    }

    fn ready(&mut self, child: ChildId) {
        if let Some(desk) = self.desks.get_mut(&child).filter(|desk| desk.stage == Stage::Starting) {
            desk.stage = Stage::Open;
            self.failed_starts = 0;
        }
    }

    /// Gives what waits to children, strictly in order, so that short calls never overtake a long one for ever.
    fn place(&mut self, now: u64) {
        let mut gifts: BTreeMap<ChildId, Vec<Tag>> = BTreeMap::new();
        while let Some(tag) = self.line.front().copied() {
            let Some(call) = self.calls.get_mut(&tag) else {
                self.line.pop_front();
                continue;
            };
            let short = self.paces.short(call.task);
            let behind_others = short.filter(|_| call.care == Care::Usual);
            let Some(child) = seat(&self.desks, self.shape, behind_others, now) else { break };
            let micros = short.unwrap_or(AHEAD_MICROS);
            call.place = Place::Child { child, micros };
            if let Some(desk) = self.desks.get_mut(&child) {
                desk.give(tag, micros, now);
            }
            if call.care != Care::Usual {
                self.commands.push(Command::Mark(tag));
            }
            self.line.pop_front();
            gifts.entry(child).or_default().push(tag);
        }
        self.commands.extend(gifts.into_iter().map(|(child, tags)| Command::Give { child, tags }));
        self.retire_spent();
    }

    fn retire_spent(&mut self) {
        let Some(most) = self.shape.max_calls else { return };
        let spent = |desk: &Desk| desk.stage == Stage::Open && desk.given >= most;
        let spent: Vec<_> =
            self.desks.iter().filter(|(_, desk)| spent(desk)).map(|(child, _)| *child).collect();
        for child in spent {
            self.retire(child);
        }
    }

    fn retire(&mut self, child: ChildId) {
        if let Some(desk) = self.desks.get_mut(&child).filter(|desk| desk.stage == Stage::Open) {
            desk.stage = Stage::Retiring;
        }
    }

    /// Keeps as many children as there are to be, and lets those end that are through.
    fn keep_number(&mut self, now: u64) {
        for _ in 0..self.surplus() {
            let idlest =
                self.desks.iter().filter(|(_, desk)| desk.counts()).min_by_key(|(_, desk)| desk.calls.len());
            let Some(child) = idlest.map(|(child, _)| *child) else { break };
            self.retire(child);
        }
        for (child, desk) in &mut self.desks {
            if desk.stage == Stage::Retiring && desk.calls.is_empty() {
                desk.stage = Stage::Ending { since: now };
                self.commands.push(Command::Stop(*child));
            }
        }
        if now < self.start_after {
            return;
        }
        for _ in 0..self.missing() {
            self.last_child += 1;
            let child = ChildId(self.last_child);
            self.desks.insert(child, Desk::new());
            self.commands.push(Command::Start(child));
        }
    }

    fn counted(&self) -> usize {
        self.desks.values().filter(|desk| desk.counts()).count()
    }

    fn missing(&self) -> usize {
        if self.called_off { 0 } else { self.shape.children.saturating_sub(self.counted()) }
    }

    fn surplus(&self) -> usize {
        self.counted().saturating_sub(self.shape.children)
    }

    pub(super) fn end(&mut self, tag: Tag, end: End) {
        if self.calls.remove(&tag).is_some() {
            self.commands.push(Command::End { tag, end });
        }
    }
}

/// The child that gets a call: an idle one, else, for one that is expected to take `short` microseconds, that which is
/// through soonest.
fn seat(desks: &BTreeMap<ChildId, Desk>, shape: Shape, short: Option<u64>, now: u64) -> Option<ChildId> {
    let open = || {
        let spent = |desk: &Desk| shape.max_calls.is_some_and(|most| desk.given >= most);
        desks.iter().filter(move |(_, desk)| desk.stage == Stage::Open && !spent(desk))
    };
    let free = open().filter(|(_, desk)| desk.calls.len() < shape.kind.lanes());
    if let Some((child, _)) = free.min_by_key(|(_, desk)| desk.calls.len()) {
        return Some(*child);
    }
    let micros = short.filter(|_| shape.kind == Kind::Process)?;
    let fits = |desk: &Desk| {
        let quiet = now >= desk.quiet_since + QUIET_MILLIS;
        desk.load + micros <= AHEAD_MICROS && desk.calls.len() <= MOST_AHEAD && desk.recalling == 0 && !quiet
    };
    open().filter(|(_, desk)| fits(desk)).min_by_key(|(_, desk)| desk.load).map(|(child, _)| *child)
}
