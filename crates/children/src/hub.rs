//! What a pool knows, and how its dispatcher's commands are carried out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::BootInstant;
use cardoon_errors::Result;
use cardoon_runtime::Clock;
use tokio::sync::{Notify, mpsc, watch};

use crate::attendant::Attended;
use crate::call::Call;
use crate::dispatch::{Care, ChildId, Command, Dispatcher, End, Event, Kind, Shape};
use crate::frame::{self, Cancel, Gate, Order, Raw, Tag, Word};
use crate::owner::{Ending, Label, Owner};
use crate::strays;

/// How often the memory of children is looked at.
const MEMORY_EVERY: Duration = Duration::from_millis(250);

/// How often dead processes are looked for that tasks left behind.
const STRAYS_EVERY_MILLIS: u64 = 10_000;

/// Calls that are given together have no more bytes than this, unless it is one.
const FRAME_BYTES: usize = 4 * 1024 * 1024;

/// Everything of a pool that its services share.
pub(crate) struct Hub {
    state: Mutex<State>,
    owner: Arc<dyn Owner>,
    clock: Clock,
    kind: Kind,
    /// Something is due earlier than was thought.
    sooner: Arc<Notify>,
    /// Whether a call finds a child now, or in milliseconds.
    ready: watch::Sender<bool>,
    /// Children are forked, which takes milliseconds.
    forks: bool,
    alive: watch::Sender<usize>,
}

struct State {
    dispatcher: Dispatcher,
    calls: HashMap<Tag, Call<String, Bytes>>,
    children: HashMap<ChildId, Arc<Attended>>,
    gate: Option<Gate>,
    /// Children that are to be made.
    wishes: mpsc::UnboundedSender<ChildId>,
    /// Until when the timekeeper sleeps.
    armed: Option<u64>,
    /// How the child died whose calls are told of it.
    death: String,
    strays_after: u64,
}

/// What the owner is told when the state is free again.
enum News {
    Began(Tag, u64),
    Ended(Tag, Ending),
    State(Tag, Bytes),
}

impl Hub {
    pub(crate) fn new(
        shape: Shape,
        owner: Arc<dyn Owner>,
        wishes: mpsc::UnboundedSender<ChildId>,
        clock: Clock,
        forks: bool,
    ) -> Self {
        let state = State {
            dispatcher: Dispatcher::new(shape),
            calls: HashMap::new(),
            children: HashMap::new(),
            gate: None,
            wishes,
            armed: None,
            death: String::new(),
            strays_after: 0,
        };
        let (ready, alive) = (watch::Sender::new(false), watch::Sender::new(0));
        Self {
            state: Mutex::new(state),
            owner,
            clock,
            kind: shape.kind,
            sooner: Arc::default(),
            ready,
            forks,
            alive,
        }
    }

    pub(crate) fn submit(&self, mut call: Call<String, Bytes>, care: Care) {
        call.report |= !self.notes();
        let mut state = self.state();
        let event = Event::Submitted { tag: call.tag, task: call.task, care };
        state.calls.insert(call.tag, call);
        state.dispatcher.apply(event, self.now());
    }

    pub(crate) fn cancel(&self, tag: Tag, why: Cancel) {
        let state = self.state();
        if let Some(child) = state.dispatcher.child_of(tag) {
            state.say(child, &Order::Cancel { tag, why });
        }
    }

    pub(crate) fn abort(&self, tag: Tag) {
        self.apply(Event::Abort(tag));
    }

    pub(crate) fn call_off_all(&self) {
        self.apply(Event::CallOffAll);
    }

    pub(crate) fn resize(&self, children: usize) {
        self.apply(Event::Resize(children));
    }

    pub(crate) fn set_gate(&self, gate: Gate) {
        let mut state = self.state();
        state.gate = Some(gate);
        for child in state.children.keys() {
            state.say(*child, &Order::Gate(gate));
        }
    }

    pub(crate) async fn ready(&self) {
        let mut ready = self.ready.subscribe();
        // The sender lives as long as this hub.
        let _ = ready.wait_for(|ready| *ready).await;
    }

    pub(crate) fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Lets all children end that have no calls any more, and waits until they are gone.
    pub(crate) async fn stop_all(&self) {
        self.resize(0);
        let mut alive = self.alive.subscribe();
        // The sender lives as long as this hub.
        let _ = alive.wait_for(|alive| *alive == 0).await;
    }

    /// A child was made, and its attendant listens.
    pub(crate) fn made(&self, child: ChildId, attended: Arc<Attended>) {
        let mut state = self.state();
        state.children.insert(child, attended);
        self.alive.send_replace(state.children.len());
        if let Some(gate) = state.gate {
            state.say(child, &Order::Gate(gate));
        }
    }

    /// A child is gone, or could not be made.
    pub(crate) fn died(&self, child: ChildId, how: String) {
        let mut state = self.state();
        let attended = state.children.remove(&child);
        let running = attended.and_then(|attended| attended.child.note.read()).map(|(tag, _)| tag);
        state.death = how;
        self.alive.send_replace(state.children.len());
        state.dispatcher.apply(Event::Died { child, running }, self.now());
        self.finish(state, Vec::new());
    }

    /// A child has said something.
    pub(crate) fn heard(&self, child: ChildId, frame: &Bytes) -> std::io::Result<Vec<Tag>> {
        let word: Word<'_> = frame::decode(frame)?;
        let mut news = Vec::new();
        let mut ended = Vec::new();
        let now = self.now();
        let mut state = self.state();
        match word {
            Word::Ready => state.dispatcher.apply(Event::Ready(child), now),
            Word::Began(calls) => {
                for (tag, at) in calls {
                    if state.dispatcher.began(child, tag) {
                        news.push(News::Began(tag, at));
                    }
                }
            }
            Word::Ended(calls) => {
                for call in calls {
                    if state.dispatcher.ended(child, call.tag, call.micros, now) {
                        state.calls.remove(&call.tag);
                        ended.push(call.tag);
                        let told = Ending::Told {
                            micros: call.micros,
                            how: call.how.map(|text| (*text).to_owned(), |json| frame.slice_ref(json.0)),
                        };
                        news.push(News::Ended(call.tag, told));
                    }
                }
            }
            Word::Recalled(tags) => state.dispatcher.apply(Event::Recalled { child, tags }, now),
            Word::State { tag, document } => news.push(News::State(tag, frame.slice_ref(document.0))),
        }
        self.finish(state, news);
        Ok(ended)
    }

    /// Whether children note which call they run.
    pub(crate) fn notes(&self) -> bool {
        self.kind == Kind::Process
    }

    /// Who is at work in a call that prints. A child may print the mark of another one's call.
    pub(crate) fn label(&self, child: ChildId, tag: Tag) -> Option<Label> {
        let is_there = self.state().dispatcher.child_of(tag) == Some(child);
        self.owner.label(tag).filter(|_| is_there)
    }

    pub(crate) fn give_up(&self, error: cardoon_errors::Error) {
        self.owner.failed(error);
    }

    /// Gives calls to children, and does what the time asks for.
    pub(crate) fn step(&self) {
        let state = self.state();
        self.finish(state, Vec::new());
    }

    /// Wakes the dispatcher when something is due.
    pub(crate) async fn keep_time(hub: Weak<Self>) -> Result<()> {
        loop {
            let Some(this) = hub.upgrade() else { return Ok(()) };
            let due = this.arm();
            let (clock, sooner) = (this.clock.clone(), Arc::clone(&this.sooner));
            // While this waits, the pool may end.
            drop(this);
            let pause = due.map(|due| BootInstant(due).since(clock.boot()));
            tokio::select! {
                () = async { clock.sleep(pause.unwrap_or_default()).await }, if pause.is_some() => {}
                () = sooner.notified() => continue,
            }
            let Some(this) = hub.upgrade() else { return Ok(()) };
            this.look();
            this.step();
        }
    }

    /// Replaces children that have grown too large, when their calls have ended.
    pub(crate) async fn watch_memory(hub: Weak<Self>, most: u64) -> Result<()> {
        loop {
            let Some(this) = hub.upgrade() else { return Ok(()) };
            let clock = this.clock.clone();
            let children: Vec<_> =
                this.state().children.iter().map(|(child, attended)| (*child, attended.child.pid)).collect();
            for (child, pid) in children {
                let grown = resident(pid).filter(|bytes| *bytes > most);
                let replaced = grown.filter(|_| this.state().dispatcher.replace_grown(child));
                if let Some(bytes) = replaced {
                    tracing::info!(pid, bytes, "a child has grown beyond its limit and is replaced");
                    this.step();
                }
            }
            drop(this);
            clock.sleep(MEMORY_EVERY).await;
        }
    }

    fn apply(&self, event: Event) {
        let mut state = self.state();
        state.dispatcher.apply(event, self.now());
        self.finish(state, Vec::new());
    }

    /// Sees what children run that have not reported for a while.
    fn look(&self) {
        let now = self.now();
        let mut state = self.state();
        let mut news = Vec::new();
        for child in state.dispatcher.unseen(now) {
            let note = state.children.get(&child).and_then(|attended| attended.child.note.read());
            if let Some((tag, at)) = note
                && state.dispatcher.began(child, tag)
            {
                news.push(News::Began(tag, at));
            }
        }
        if now >= state.strays_after {
            state.strays_after = now + STRAYS_EVERY_MILLIS;
            let ours: Vec<u32> = state.children.values().map(|attended| attended.child.pid).collect();
            strays::bury(|pid| ours.contains(&pid) || crate::maker::is_zygote(pid));
        }
        self.finish(state, news);
    }

    fn finish(&self, mut state: MutexGuard<'_, State>, mut news: Vec<News>) {
        state.dispatcher.advance(self.now());
        for command in state.dispatcher.take_commands() {
            news.extend(state.obey(command, &*self.owner));
        }
        let due = state.dispatcher.next_deadline();
        let is_sooner = due.is_some_and(|due| state.armed.is_none_or(|armed| due < armed));
        let open = state.dispatcher.is_open();
        drop(state);
        if is_sooner {
            self.sooner.notify_one();
        }
        let forks = self.forks;
        self.ready.send_if_modified(|known| {
            let ready = open || (forks && *known);
            std::mem::replace(known, ready) != ready
        });
        for news in news {
            match news {
                News::Began(tag, at) => self.owner.began(tag, at),
                News::Ended(tag, ending) => self.owner.ended(tag, ending),
                News::State(tag, document) => self.owner.state(tag, document),
            }
        }
    }

    fn arm(&self) -> Option<u64> {
        let mut state = self.state();
        // The dead are buried also while nothing else is due.
        let burial = (!state.children.is_empty()).then_some(state.strays_after.max(self.now() + 1));
        state.armed = state.dispatcher.next_deadline().into_iter().chain(burial).min();
        state.armed
    }

    fn now(&self) -> u64 {
        self.clock.boot().0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn obey(&mut self, command: Command, owner: &dyn Owner) -> Option<News> {
        match command {
            // Nobody makes children any more when the pool ends.
            Command::Start(child) => drop(self.wishes.send(child)),
            // Before the child has it, and so under the lock.
            Command::Mark(tag) => owner.may_begin(tag),
            Command::Give { child, tags } => self.give(child, &tags),
            Command::Recall { child, tags } => self.say(child, &Order::Recall(tags)),
            Command::Interrupt { child, tag } => {
                self.say(child, &Order::Cancel { tag, why: Cancel::TimeLimit });
            }
            Command::Kill(child) => {
                if let Some(attended) = self.children.get(&child) {
                    attended.child.kill();
                }
            }
            Command::Stop(child) => self.say(child, &Order::Stop),
            Command::End { tag, end } => {
                self.calls.remove(&tag);
                return Some(News::Ended(tag, self.ending(end)));
            }
        }
        None
    }

    fn ending(&self, end: End) -> Ending {
        match end {
            End::Unstarted => Ending::Unstarted,
            End::Killed => Ending::Killed,
            End::Died(_) => Ending::Died(self.death.clone()),
        }
    }

    /// Large calls go one by one: a frame has a limit, and what is not given would be waited for.
    fn give(&self, child: ChildId, tags: &[Tag]) {
        let (mut calls, mut bytes) = (Vec::with_capacity(tags.len()), 0);
        for call in tags.iter().filter_map(|tag| self.calls.get(tag)) {
            let size = call.headers.len() + call.args.len() + call.kwargs.len();
            if bytes + size > FRAME_BYTES && !calls.is_empty() {
                self.say(child, &Order::Run(std::mem::take(&mut calls)));
                bytes = 0;
            }
            calls.push(call.map(String::as_str, |json| Raw(json)));
            bytes += size;
        }
        self.say(child, &Order::Run(calls));
    }

    fn say(&self, child: ChildId, order: &Order<'_>) {
        if let Some(attended) = self.children.get(&child) {
            attended.say(order);
        }
    }
}

/// The resident memory of a process in bytes, while it lives.
fn resident(pid: u32) -> Option<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}
