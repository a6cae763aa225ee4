//! Breadth first through all states, so that the first violation has a shortest trace.

use std::collections::{HashMap, VecDeque};

use crate::rules::Rules;
use crate::world::World;

pub(crate) enum Found {
    Sound { states: usize },
    Violation { what: String, trace: Vec<String> },
}

struct Visited {
    states: Vec<World>,
    /// The state before, and the event that led from it; none for the first state.
    origin: Vec<Option<(usize, String)>>,
    index: HashMap<World, usize>,
    edges: Vec<(usize, usize)>,
}

pub(crate) fn explore(first: World, rules: Rules) -> Found {
    let mut visited =
        Visited { states: Vec::new(), origin: Vec::new(), index: HashMap::new(), edges: Vec::new() };
    let mut queue = VecDeque::from([visited.add(first, None).0]);
    while let Some(at) = queue.pop_front() {
        for (event, step) in visited.states[at].clone().steps(rules) {
            let world = match step {
                Ok(world) => world,
                Err(what) => return visited.violation(at, Some(event), what),
            };
            let (next, new) = visited.add(world, Some((at, event)));
            visited.edges.push((at, next));
            if new {
                if let Err(what) = visited.states[next].check() {
                    return visited.violation(next, None, what);
                }
                queue.push_back(next);
            }
        }
    }
    match visited.stuck() {
        Some(at) => visited.violation(at, None, "stuck: no end can be reached from here".into()),
        None => Found::Sound { states: visited.states.len() },
    }
}

impl Visited {
    fn add(&mut self, world: World, origin: Option<(usize, String)>) -> (usize, bool) {
        if let Some(known) = self.index.get(&world) {
            return (*known, false);
        }
        let at = self.states.len();
        self.index.insert(world.clone(), at);
        self.states.push(world);
        self.origin.push(origin);
        (at, true)
    }

    /// A state from which no end can be reached, walking the edges backwards from all ends.
    fn stuck(&self) -> Option<usize> {
        let mut before = vec![Vec::new(); self.states.len()];
        for (from, to) in &self.edges {
            before[*to].push(*from);
        }
        let mut reaches = vec![false; self.states.len()];
        let mut queue: Vec<usize> = (0..self.states.len()).filter(|at| self.states[*at].is_over()).collect();
        while let Some(at) = queue.pop() {
            if !std::mem::replace(&mut reaches[at], true) {
                queue.extend(&before[at]);
            }
        }
        reaches.iter().position(|reaches| !reaches)
    }

    fn violation(&self, mut at: usize, last: Option<String>, what: String) -> Found {
        let mut trace: Vec<String> = last.into_iter().collect();
        while let Some((from, event)) = &self.origin[at] {
            trace.push(event.clone());
            at = *from;
        }
        trace.reverse();
        Found::Violation { what, trace }
    }
}
