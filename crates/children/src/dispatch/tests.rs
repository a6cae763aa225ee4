use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::frame::Tag;

/// Children that do what they are told, and a clock.
struct World {
    dispatcher: Dispatcher,
    now: u64,
    given: HashMap<ChildId, Vec<Tag>>,
    ended: HashMap<Tag, End>,
    asked: Vec<(ChildId, Vec<Tag>)>,
    starting: Vec<ChildId>,
    killed: Vec<ChildId>,
    stopped: Vec<ChildId>,
    interrupted: Vec<Tag>,
    marked: Vec<Tag>,
    next_tag: Tag,
}

impl World {
    fn new(children: usize, kind: Kind) -> Self {
        let mut world = Self::shaped(Shape { children, kind, max_calls: None });
        world.all_ready();
        world
    }

    fn shaped(shape: Shape) -> Self {
        let mut world = Self {
            dispatcher: Dispatcher::new(shape),
            now: 1000,
            given: HashMap::new(),
            ended: HashMap::new(),
            asked: Vec::new(),
            starting: Vec::new(),
            killed: Vec::new(),
            stopped: Vec::new(),
            interrupted: Vec::new(),
            marked: Vec::new(),
            next_tag: 0,
        };
        world.step();
        world
    }

    fn step(&mut self) {
        self.dispatcher.advance(self.now);
        for command in self.dispatcher.take_commands() {
            match command {
                Command::Start(child) => self.starting.push(child),
                Command::Mark(tag) => self.marked.push(tag),
                Command::Give { child, tags } => self.given.entry(child).or_default().extend(tags),
                Command::Recall { child, tags } => self.asked.push((child, tags)),
                Command::Interrupt { tag, .. } => self.interrupted.push(tag),
                Command::Kill(child) => self.killed.push(child),
                Command::Stop(child) => self.stopped.push(child),
                Command::End { tag, end } => {
                    assert!(self.ended.insert(tag, end).is_none(), "{tag} ended twice");
                }
            }
        }
    }

    fn apply(&mut self, event: Event) {
        self.dispatcher.apply(event, self.now);
        self.step();
    }

    fn all_ready(&mut self) {
        for child in std::mem::take(&mut self.starting) {
            self.apply(Event::Ready(child));
        }
    }

    fn submit(&mut self, task: u32) -> Tag {
        self.submit_with(task, Care::Usual)
    }

    fn submit_with(&mut self, task: u32, care: Care) -> Tag {
        self.next_tag += 1;
        self.apply(Event::Submitted { tag: self.next_tag, task, care });
        self.next_tag
    }

    fn child_of(&self, tag: Tag) -> ChildId {
        *self.given.iter().find(|(_, tags)| tags.contains(&tag)).unwrap().0
    }

    /// The child ends its first call.
    fn finish(&mut self, child: ChildId, micros: u64) -> Option<Tag> {
        let tags = self.given.get_mut(&child).filter(|tags| !tags.is_empty())?;
        let tag = tags.remove(0);
        assert!(self.dispatcher.ended(child, tag, micros, self.now));
        self.step();
        Some(tag)
    }

    fn answer(&mut self, begun: usize) {
        for (child, asked) in std::mem::take(&mut self.asked) {
            let here = self.given.entry(child).or_default();
            let back: Vec<Tag> =
                asked.into_iter().filter(|tag| here.iter().skip(begun).any(|other| other == tag)).collect();
            here.retain(|tag| !back.contains(tag));
            self.apply(Event::Recalled { child, tags: back });
        }
    }

    /// The child dies in its first call.
    fn die(&mut self, child: ChildId) {
        self.die_in(child, 0);
    }

    /// The child dies in this one of its calls.
    fn die_in(&mut self, child: ChildId, place: usize) {
        let running = self.given.remove(&child).unwrap_or_default().get(place).copied();
        self.apply(Event::Died { child, running });
    }
}

#[test]
fn an_unknown_task_is_never_put_behind_another_call() {
    let mut world = World::new(2, Kind::Process);
    for _ in 0..5 {
        world.submit(1);
    }
    assert!(world.given.values().all(|tags| tags.len() == 1));
    assert_eq!(world.given.len(), 2);
}

#[test]
fn short_calls_wait_inside_children_up_to_two_milliseconds_of_them() {
    let mut world = World::new(2, Kind::Process);
    world.submit(1);
    let child = world.child_of(1);
    world.finish(child, 10);
    for _ in 0..300 {
        world.submit(1);
    }
    let mut held: Vec<usize> = world.given.values().map(Vec::len).collect();
    held.sort_unstable();
    assert_eq!(held, [64, 64]);
}

#[test]
fn what_waits_behind_a_call_that_takes_long_runs_on_another_child() {
    let mut world = World::new(2, Kind::Process);
    world.submit(1);
    world.finish(world.child_of(1), 10);
    let tags: Vec<Tag> = (0..10).map(|_| world.submit(1)).collect();
    let (stuck, other) = (world.child_of(tags[0]), world.child_of(tags[1]));
    while world.finish(other, 10).is_some() {}
    world.now += QUIET;
    world.step();
    world.answer(1);
    assert_eq!(world.given[&stuck].len(), 1);
    while world.finish(other, 10).is_some() {}
    assert_eq!(world.given.values().map(Vec::len).sum::<usize>(), 1);
    assert!(world.ended.is_empty());
}

#[test]
fn a_death_names_its_victim_and_nobody_else() {
    let mut world = World::new(1, Kind::Process);
    world.submit(1);
    let child = world.child_of(1);
    world.finish(child, 10);
    let tags: Vec<Tag> = (0..4).map(|_| world.submit(1)).collect();
    world.die(child);
    assert_eq!(world.ended, HashMap::from([(tags[0], End::Died(child))]));
    world.all_ready();
    let next = world.child_of(tags[1]);
    assert_eq!(world.given[&next], &tags[1..]);
}

#[test]
fn in_a_child_of_several_lanes_a_death_takes_all_that_it_had() {
    let mut world = World::new(1, Kind::Threads { lanes: 3 });
    let tags: Vec<Tag> = (0..4).map(|_| world.submit(1)).collect();
    assert_eq!(world.given[&world.child_of(tags[0])], &tags[..3]);
    world.die(world.child_of(tags[0]));
    assert_eq!(world.ended.len(), 3);
    assert!(!world.ended.contains_key(&tags[3]));
}

#[test]
fn an_aborted_call_is_killed_only_if_it_has_begun() {
    let mut world = World::new(1, Kind::Process);
    world.submit(1);
    let child = world.child_of(1);
    world.finish(child, 10);
    let tags: Vec<Tag> = (0..3).map(|_| world.submit(1)).collect();
    world.apply(Event::Abort(tags[1]));
    world.answer(1);
    assert_eq!(world.ended, HashMap::from([(tags[1], End::Unstarted)]));
    assert!(world.killed.is_empty());
    world.apply(Event::Abort(tags[0]));
    world.answer(1);
    assert_eq!(world.killed, [child]);
    world.die(child);
    assert_eq!(world.ended[&tags[0]], End::Killed);
    assert!(!world.ended.contains_key(&tags[2]));
}

#[test]
fn a_child_that_does_not_answer_is_killed_when_its_call_must_end() {
    let mut world = World::new(1, Kind::Process);
    let tag = world.submit(1);
    world.apply(Event::Abort(tag));
    world.now += ANSWER;
    world.step();
    assert_eq!(world.killed.len(), 1);
}

#[test]
fn a_child_whose_interrupted_call_goes_on_is_killed_and_its_neighbours_are_not_to_blame() {
    let mut world = World::new(1, Kind::Loop { lanes: 2 });
    let tags = [world.submit(1), world.submit(1)];
    let child = world.child_of(tags[0]);
    assert!(world.dispatcher.began(child, tags[0]) && !world.dispatcher.began(child, tags[0]));
    world.apply(Event::Abort(tags[0]));
    assert_eq!(world.interrupted, [tags[0]]);
    world.now += 999;
    world.step();
    assert!(world.killed.is_empty());
    world.now += 1;
    world.step();
    assert_eq!(world.killed, [child]);
    world.die(child);
    assert_eq!(world.ended, HashMap::from([(tags[0], End::Killed), (tags[1], End::Killed)]));
}

#[test]
fn a_child_that_stands_still_is_replaced_and_what_it_held_runs_elsewhere() {
    let mut world = World::new(1, Kind::Process);
    world.submit(1);
    let child = world.child_of(1);
    world.finish(child, 10);
    let tags = [world.submit(1), world.submit(1)];
    world.now += QUIET;
    world.step();
    world.dispatcher.unseen(world.now);
    world.now += ANSWER;
    world.step();
    world.dispatcher.unseen(world.now);
    assert!(world.killed.is_empty(), "nothing of it must end");
    assert!(
        world.dispatcher.next_deadline().is_none_or(|due| due > world.now),
        "it is waited for without a pause"
    );
    world.now += SILENCE;
    world.step();
    assert_eq!(world.killed, [child]);
    assert_eq!(world.dispatcher.next_deadline().filter(|due| *due <= world.now), None);
    world.die(child);
    assert_eq!(world.ended, HashMap::from([(tags[0], End::Killed)]));
    world.all_ready();
    assert_eq!(world.given[&world.child_of(tags[1])], [tags[1]]);
}

#[test]
fn what_must_not_begin_twice_does_not_though_its_child_did_not_say_that_it_had_ended() {
    let mut world = World::new(1, Kind::Process);
    world.submit(1);
    let child = world.child_of(1);
    world.finish(child, 10);
    let once = world.submit_with(1, Care::Once);
    let others = [world.submit(1), world.submit(1), world.submit(1)];
    assert_eq!(world.marked, [once]);
    world.die_in(child, 2);
    let died = HashMap::from([(once, End::Died(child)), (others[1], End::Died(child))]);
    assert_eq!(world.ended, died);
    world.all_ready();
    assert_eq!(world.given[&world.child_of(others[0])], [others[0], others[2]]);
}

#[test]
fn what_wants_care_is_marked_when_a_child_has_nothing_else_and_not_before() {
    let mut world = World::new(1, Kind::Process);
    world.submit(1);
    let child = world.child_of(1);
    world.finish(child, 10);
    world.submit(1);
    let careful = world.submit_with(1, Care::Alone);
    assert!(world.marked.is_empty());
    world.finish(child, 10);
    assert_eq!((&*world.marked, &*world.given[&child]), (&[careful][..], &[careful][..]));
}

#[test]
fn a_death_in_threads_or_a_loop_of_one_lane_has_a_victim_too() {
    for kind in [Kind::Threads { lanes: 1 }, Kind::Loop { lanes: 1 }] {
        let mut world = World::new(1, kind);
        let tag = world.submit(1);
        let child = world.child_of(tag);
        world.given.clear();
        world.apply(Event::Died { child, running: None });
        assert_eq!(world.ended, HashMap::from([(tag, End::Died(child))]));
    }
}

#[test]
fn a_child_of_threads_is_killed_when_all_in_it_must_end() {
    let mut world = World::new(1, Kind::Threads { lanes: 2 });
    let tags = [world.submit(1), world.submit(1)];
    let child = world.child_of(tags[0]);
    for tag in tags {
        world.dispatcher.began(child, tag);
    }
    world.apply(Event::Abort(tags[0]));
    assert_eq!((&*world.interrupted, world.killed.len()), (&tags[..1], 0));
    world.given.entry(child).or_default().retain(|tag| *tag != tags[0]);
    world.finish(child, 10);
    assert_eq!(world.killed, [child], "nothing is left in it that may go on");
}

#[test]
fn a_child_that_does_not_end_when_it_is_told_to_is_killed() {
    let mut world = World::new(1, Kind::Process);
    world.apply(Event::Resize(0));
    assert_eq!(world.stopped.len(), 1);
    world.now += END - 1;
    world.step();
    assert!(world.killed.is_empty());
    assert_eq!(world.dispatcher.next_deadline(), Some(world.now + 1));
    world.now += 1;
    world.step();
    assert_eq!(world.killed, world.stopped);
}

#[test]
fn only_a_child_that_has_run_something_is_replaced_for_its_size() {
    let mut world = World::new(1, Kind::Process);
    let child = ChildId(1);
    assert!(!world.dispatcher.replace_grown(child));
    world.submit(1);
    assert!(world.dispatcher.replace_grown(child) && !world.dispatcher.replace_grown(child));
}

#[test]
fn nothing_is_due_while_calls_of_several_lanes_run() {
    let mut world = World::new(1, Kind::Threads { lanes: 3 });
    let tags = [world.submit(1), world.submit(1)];
    let child = world.child_of(tags[0]);
    for tag in tags {
        world.dispatcher.began(child, tag);
    }
    world.now += 1000;
    world.step();
    assert_eq!(world.dispatcher.next_deadline(), None);
}

#[test]
fn a_call_that_finds_no_child_is_given_up_soon() {
    let mut world = World::new(1, Kind::Process);
    world.submit(1);
    let waiting = world.submit(1);
    world.now += LINE;
    world.step();
    assert_eq!(world.ended, HashMap::from([(waiting, End::Unstarted)]));
}

#[test]
fn a_spent_child_is_replaced_before_it_ends() {
    let mut world = World::shaped(Shape { children: 1, kind: Kind::Process, max_calls: Some(2) });
    world.all_ready();
    world.submit(1);
    let first = world.child_of(1);
    world.finish(first, 10);
    world.submit(1);
    assert_eq!(world.starting.len(), 1, "its successor starts while it runs its last call");
    world.finish(first, 10);
    assert_eq!(world.stopped, [first]);
}

#[test]
fn children_that_never_get_ready_are_started_less_and_less_often() {
    let mut world = World::shaped(Shape { children: 1, kind: Kind::Process, max_calls: None });
    let mut starts = 0;
    for _ in 0..2000 {
        for child in std::mem::take(&mut world.starting) {
            starts += 1;
            world.apply(Event::Died { child, running: None });
        }
        world.now += 5;
        world.step();
    }
    assert!((5..=12).contains(&starts), "{starts} starts in 10 s");
}

#[test]
fn fewer_children_end_when_they_are_idle() {
    let mut world = World::new(3, Kind::Process);
    let tag = world.submit(1);
    world.apply(Event::Resize(1));
    assert_eq!(world.stopped.len(), 2);
    assert!(!world.stopped.contains(&world.child_of(tag)));
}

#[test]
fn after_all_was_called_off_nothing_begins() {
    let mut world = World::new(1, Kind::Process);
    world.submit(1);
    world.finish(world.child_of(1), 10);
    let tags: Vec<Tag> = (0..3).map(|_| world.submit(1)).collect();
    world.apply(Event::CallOffAll);
    world.answer(1);
    let late = world.submit(1);
    let unstarted: HashSet<Tag> = world.ended.keys().copied().collect();
    assert_eq!(unstarted, HashSet::from([tags[1], tags[2], late]));
}

const QUIET: u64 = 5;
const ANSWER: u64 = 250;
const END: u64 = 10_000;
const SILENCE: u64 = 10_000;
const LINE: u64 = 100;

#[derive(Debug, Clone)]
enum Step {
    Submit(u32, Care),
    Finish(usize, u64),
    Die(usize, usize),
    Abort(u64),
    Answer(usize),
    Ready,
    Wait(u64),
    Resize(usize),
}

fn cares() -> impl Strategy<Value = Care> {
    prop_oneof![4 => Just(Care::Usual), 1 => Just(Care::Alone), 1 => Just(Care::Once)]
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Process), Just(Kind::Threads { lanes: 2 }), Just(Kind::Loop { lanes: 1 })]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u32..3, cares()).prop_map(|(task, care)| Step::Submit(task, care)),
        4 => (0usize..4, prop_oneof![Just(5u64), Just(500), Just(50_000)]).prop_map(|(child, micros)| Step::Finish(child, micros)),
        1 => (0usize..4, 0usize..3).prop_map(|(child, running)| Step::Die(child, running)),
        1 => (0u64..60).prop_map(Step::Abort),
        2 => (0usize..2).prop_map(Step::Answer),
        2 => Just(Step::Ready),
        2 => (1u64..120).prop_map(Step::Wait),
        1 => (1usize..4).prop_map(Step::Resize),
    ]
}

proptest! {
    /// Whatever children do, each call ends once: by its child's report, or by one word of the dispatcher.
    #[test]
    fn every_call_ends_once(steps in prop::collection::vec(step(), 1..200), kind in kinds()) {
        let mut world = World::new(2, kind);
        let mut reported = HashSet::new();
        for step in steps {
            let mut children: Vec<ChildId> = world.given.keys().copied().collect();
            children.sort_unstable();
            let child = |place: usize| children.get(place % children.len().max(1)).copied();
            match step {
                Step::Submit(task, care) => { world.submit_with(task, care); }
                Step::Finish(place, micros) => {
                    if let Some(tag) = child(place).and_then(|child| world.finish(child, micros)) {
                        prop_assert!(reported.insert(tag));
                    }
                }
                Step::Die(place, running) => if let Some(child) = child(place) { world.die_in(child, running) },
                Step::Abort(tag) => world.apply(Event::Abort(tag)),
                Step::Answer(begun) => world.answer(begun),
                Step::Ready => world.all_ready(),
                Step::Wait(millis) => { world.now += millis; world.step(); }
                Step::Resize(children) => world.apply(Event::Resize(children)),
            }
        }
        world.apply(Event::CallOffAll);
        world.answer(0);
        let children: Vec<ChildId> = world.given.keys().copied().collect();
        for child in children {
            world.die(child);
        }
        for tag in 1..=world.next_tag {
            prop_assert!(world.ended.contains_key(&tag) != reported.contains(&tag), "call {tag}");
        }
        prop_assert!(world.dispatcher.is_idle());
    }
}
