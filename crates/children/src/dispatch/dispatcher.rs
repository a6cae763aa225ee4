use std::collections::{BTreeMap, HashMap, VecDeque};

use super::ChildId;
use super::desk::{Desk, Stage};
use super::pace::{AHEAD_MICROS, Paces};
use crate::frame::Tag;

/// Calls that a child may hold behind the one that it runs.
const MOST_AHEAD: usize = 63;

/// A child that has reported nothing for so long gives back what waits behind its call, in milliseconds.
pub(super) const QUIET_MILLIS: u64 = 5;

/// A call that finds no child for so long is given up, so that another worker gets it.
const LINE_MILLIS: u64 = 100;

/// How long a child may take to say whether a call has begun that must end.
const ANSWER_MILLIS: u64 = 50;

/// How long a child may take to give back what others wait for. Its line never waits for user code, so one that is silent
/// for so long stands still.
const SILENCE_MILLIS: u64 = 10_000;

/// Pauses before a child is started again after one that never was ready; doubled each time.
const FIRST_PAUSE_MILLIS: u64 = 50;
const LONGEST_PAUSE_MILLIS: u64 = 5_000;

/// What children there are to be.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub children: usize,
    /// Calls that a child runs at once. More than one child process's main thread: nothing waits inside such a child.
    pub lanes: usize,
    /// A child is replaced after so many calls.
    pub max_calls: Option<u64>,
    /// A child of several lanes is killed when a call that was interrupted has not ended after so many milliseconds. None
    /// where one that goes on holds up no other.
    pub interrupt_patience: Option<u64>,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    Submitted {
        tag: Tag,
        task: u32,
    },
    /// A child can take calls.
    Ready(ChildId),
    /// A call's begin was reported.
    Began {
        child: ChildId,
        tag: Tag,
    },
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
    /// A child is to be replaced when its calls have ended.
    Retire(ChildId),
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Start(ChildId),
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
    shape: Shape,
    desks: BTreeMap<ChildId, Desk>,
    /// What waits for a child, in order.
    line: VecDeque<Tag>,
    calls: HashMap<Tag, Submitted>,
    /// Recalls without an answer, per child in order: what was asked for, and when.
    asked: HashMap<ChildId, VecDeque<(u64, Vec<Tag>)>>,
    /// Calls that were interrupted in children of several lanes, and when.
    interrupted: HashMap<Tag, (ChildId, u64)>,
    paces: Paces,
    last_child: u64,
    /// Starts in a row after which no child was ready.
    failed_starts: u32,
    start_after: u64,
    called_off: bool,
    commands: Vec<Command>,
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
            Event::Submitted { tag, task } => self.submit(tag, task, now),
            Event::Ready(child) => self.ready(child),
            Event::Began { child, tag } => self.began(child, tag),
            Event::Recalled { child, tags } => self.recalled(child, &tags, now),
            Event::Died { child, running } => self.died(child, running, now),
            Event::Abort(tag) => self.abort(tag, now),
            Event::CallOffAll => self.call_off_all(now),
            Event::Resize(children) => self.shape.children = children,
            Event::Retire(child) => self.retire(child),
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
        self.give_up_old(now);
        self.place(now);
        self.keep_number(now);
    }

    /// When [`Self::advance`] must be called even if nothing happens.
    pub fn next_deadline(&self) -> Option<u64> {
        // Only a child of one lane holds calls that could be taken back, and notes which one it runs.
        let desks = || self.desks.values().filter(|_| self.shape.lanes == 1);
        let quiet = desks().filter(|desk| desk.may_recall()).map(|desk| desk.quiet_since + QUIET_MILLIS);
        let silent = self.asked.keys().filter_map(|child| self.answer_due(*child));
        let old = self.line.front().and_then(|tag| self.line_since(*tag)).map(|since| since + LINE_MILLIS);
        let stuck = self.interrupt_due();
        let start = (self.missing() > 0).then_some(self.start_after);
        let unseen = desks().filter_map(|desk| desk.look_at(&self.calls));
        quiet.chain(unseen).chain(silent).chain(old).chain(stuck).chain(start).min()
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

    /// Whether no call is left.
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// Children that can take calls.
    pub fn open(&self) -> usize {
        self.desks.values().filter(|desk| desk.stage == Stage::Open).count()
    }

    fn submit(&mut self, tag: Tag, task: u32, now: u64) {
        let call = Submitted { task, place: Place::Line { since: now }, begun: false, aborted: false };
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

    fn began(&mut self, child: ChildId, tag: Tag) {
        if let Some(call) = self.calls.get_mut(&tag)
            && matches!(call.place, Place::Child { child: place, .. } if place == child)
        {
            call.begun = true;
        }
    }

    fn recalled(&mut self, child: ChildId, tags: &[Tag], now: u64) {
        let Some((_, asked)) = self.asked.get_mut(&child).and_then(VecDeque::pop_front) else { return };
        if let Some(desk) = self.desks.get_mut(&child) {
            desk.recalling -= 1;
        }
        for tag in tags.iter().rev().filter(|tag| asked.contains(tag)) {
            self.put_back(child, *tag, now);
        }
        for tag in asked.iter().filter(|tag| !tags.contains(tag)) {
            self.end_by_force(child, *tag, now);
        }
        self.forget_answered();
    }

    /// A call that was given back waits at the head of the line, unless it is not wanted any more.
    fn put_back(&mut self, child: ChildId, tag: Tag, now: u64) {
        let Some(call) = self.calls.get_mut(&tag) else { return };
        let Place::Child { child: place, micros } = call.place else { return };
        if place != child {
            return;
        }
        call.place = Place::Line { since: now };
        let unwanted = call.aborted || self.called_off;
        if let Some(desk) = self.desks.get_mut(&child) {
            desk.take(tag, micros);
            desk.given = desk.given.saturating_sub(1);
        }
        if unwanted {
            self.end(tag, End::Unstarted);
        } else {
            self.line.push_front(tag);
        }
    }

    fn died(&mut self, child: ChildId, running: Option<Tag>, now: u64) {
        let Some(desk) = self.desks.remove(&child) else { return };
        self.asked.remove(&child);
        if desk.stage == Stage::Starting {
            let pause = FIRST_PAUSE_MILLIS << self.failed_starts.min(10);
            self.start_after = now + pause.min(LONGEST_PAUSE_MILLIS);
            self.failed_starts += 1;
        }
        for tag in desk.calls.iter().rev() {
            let Some(call) = self.calls.get(tag) else { continue };
            let ran = self.shape.lanes > 1 || call.begun || running == Some(*tag);
            match (ran, desk.killed) {
                (true, true) => self.end(*tag, End::Killed),
                (true, false) => self.end(*tag, End::Died(child)),
                (false, _) => self.put_back(child, *tag, now),
            }
        }
    }

    fn abort(&mut self, tag: Tag, now: u64) {
        let Some(call) = self.calls.get_mut(&tag) else { return };
        call.aborted = true;
        let begun = call.begun;
        match call.place {
            Place::Line { .. } => {
                self.line.retain(|other| *other != tag);
                self.end(tag, End::Unstarted);
            }
            Place::Child { child, .. } if begun => self.end_by_force(child, tag, now),
            Place::Child { child, .. } => self.ask(child, vec![tag], now),
        }
    }

    /// Ends a call that runs and must not.
    fn end_by_force(&mut self, child: ChildId, tag: Tag, now: u64) {
        let here =
            |call: &&Submitted| matches!(call.place, Place::Child { child: place, .. } if place == child);
        if !self.calls.get(&tag).filter(here).is_some_and(|call| call.aborted) {
            return;
        }
        if self.shape.lanes > 1 {
            self.interrupted.insert(tag, (child, now));
            self.commands.push(Command::Interrupt { child, tag });
        } else {
            self.kill(child);
        }
    }

    fn kill(&mut self, child: ChildId) {
        if let Some(desk) = self.desks.get_mut(&child).filter(|desk| desk.stage != Stage::Ending) {
            desk.stage = Stage::Ending;
            desk.killed = true;
            self.commands.push(Command::Kill(child));
        }
    }

    fn call_off_all(&mut self, now: u64) {
        self.called_off = true;
        for tag in std::mem::take(&mut self.line) {
            self.end(tag, End::Unstarted);
        }
        let with_calls: Vec<_> = self
            .desks
            .iter()
            .map(|(child, desk)| (*child, desk.calls.iter().copied().collect::<Vec<_>>()))
            .collect();
        for (child, tags) in with_calls.into_iter().filter(|(_, tags)| !tags.is_empty()) {
            self.ask(child, tags, now);
        }
    }

    fn ask(&mut self, child: ChildId, tags: Vec<Tag>, now: u64) {
        if let Some(desk) = self.desks.get_mut(&child) {
            desk.recalling += 1;
            self.asked.entry(child).or_default().push_back((now, tags.clone()));
            self.commands.push(Command::Recall { child, tags });
        }
    }

    /// What waits behind a call that takes longer than thought is given to others.
    fn recall_from_quiet(&mut self, now: u64) {
        let quiet = |desk: &Desk| desk.may_recall() && now >= desk.quiet_since + QUIET_MILLIS;
        let asking: Vec<_> = self
            .desks
            .iter()
            .filter(|(_, desk)| self.shape.lanes == 1 && quiet(desk))
            .map(|(child, desk)| (*child, desk.calls.iter().skip(1).copied().collect::<Vec<_>>()))
            .collect();
        for (child, tags) in asking {
            self.ask(child, tags, now);
        }
    }

    /// A child that does not even answer what it is asked is stuck. It is given little time when a call must end, and more
    /// when others only wait for what it holds.
    fn kill_silent(&mut self, now: u64) {
        let due = |child: &ChildId| self.answer_due(*child).is_some_and(|due| now >= due);
        let silent: Vec<_> = self.asked.keys().copied().filter(due).collect();
        for child in silent {
            self.kill(child);
        }
    }

    /// When a child that was asked something is given up.
    fn answer_due(&self, child: ChildId) -> Option<u64> {
        self.desks.get(&child).filter(|desk| desk.stage != Stage::Ending)?;
        let is_urgent = |tag: &Tag| self.calls.get(tag).is_some_and(|call| call.aborted);
        let patience = |tags: &[Tag]| if tags.iter().any(is_urgent) { ANSWER_MILLIS } else { SILENCE_MILLIS };
        self.asked.get(&child)?.iter().map(|(since, tags)| since + patience(tags)).min()
    }

    /// When a child is given up in which an interrupted call goes on.
    fn interrupt_due(&self) -> Option<u64> {
        let patience = self.shape.interrupt_patience?;
        let lives = |child: &ChildId| self.desks.get(child).is_some_and(|desk| desk.stage != Stage::Ending);
        let waited_for = self.interrupted.values().filter(|(child, _)| lives(child));
        waited_for.map(|(_, since)| since + patience).min()
    }

    /// A call that does not end when it is interrupted holds up all others of its child.
    fn kill_stuck(&mut self, now: u64) {
        let calls = &self.calls;
        self.interrupted.retain(|tag, _| calls.contains_key(tag));
        let Some(patience) = self.shape.interrupt_patience else { return };
        let stuck: Vec<_> =
            self.interrupted.values().filter(|(_, since)| now >= since + patience).copied().collect();
        for (child, _) in stuck {
            self.kill(child);
        }
    }

    fn give_up_old(&mut self, now: u64) {
        while let Some(tag) = self.line.front().copied() {
            if self.line_since(tag).is_some_and(|since| now < since + LINE_MILLIS) {
                return;
            }
            self.line.pop_front();
            self.end(tag, End::Unstarted);
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
            let Some(child) = seat(&self.desks, self.shape, short, now) else { break };
            let micros = short.unwrap_or(AHEAD_MICROS);
            call.place = Place::Child { child, micros };
            if let Some(desk) = self.desks.get_mut(&child) {
                desk.give(tag, micros, now);
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
                desk.stage = Stage::Ending;
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

    fn line_since(&self, tag: Tag) -> Option<u64> {
        match self.calls.get(&tag)?.place {
            Place::Line { since } => Some(since),
            Place::Child { .. } => None,
        }
    }

    fn end(&mut self, tag: Tag, end: End) {
        if self.calls.remove(&tag).is_some() {
            self.commands.push(Command::End { tag, end });
        }
    }

    fn forget_answered(&mut self) {
        self.asked.retain(|_, asked| !asked.is_empty());
    }
}

/// The child that gets a call that is expected to take `short` microseconds: an idle one, else, for a short call, the one
/// that is through soonest.
fn seat(desks: &BTreeMap<ChildId, Desk>, shape: Shape, short: Option<u64>, now: u64) -> Option<ChildId> {
    let open = || {
        let spent = |desk: &Desk| shape.max_calls.is_some_and(|most| desk.given >= most);
        desks.iter().filter(move |(_, desk)| desk.stage == Stage::Open && !spent(desk))
    };
    let free = open().filter(|(_, desk)| desk.calls.len() < shape.lanes);
    if let Some((child, _)) = free.min_by_key(|(_, desk)| desk.calls.len()) {
        return Some(*child);
    }
    let micros = short.filter(|_| shape.lanes == 1)?;
    let fits = |desk: &Desk| {
        let quiet = now >= desk.quiet_since + QUIET_MILLIS;
        desk.load + micros <= AHEAD_MICROS && desk.calls.len() <= MOST_AHEAD && desk.recalling == 0 && !quiet
    };
    open().filter(|(_, desk)| fits(desk)).min_by_key(|(_, desk)| desk.load).map(|(child, _)| *child)
}
