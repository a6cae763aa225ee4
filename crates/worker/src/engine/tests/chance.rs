//! The engine, driven by chance: each delivery gets exactly one final verdict, whatever happens.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::{Settle, Settled};
use cardoon_core::settle::Verdict;
use cardoon_core::{DeadReason, RunNumber};
use cardoon_protocol::Undecodable;
use cardoon_results::Begun;
use proptest::prelude::*;

use super::bench::{Bench, SECOND, blocking, delivery, failed, limited, set_eta, too_large};
use crate::engine::rate::MOST_EXTRA;
use crate::engine::{Answer, Arrival, Command, Content, Event, Outcome, Ticket};
use crate::{AckMode, Isolation, TaskOptions};

/// What may happen next, as chance has it. The number picks among what is possible.
#[derive(Debug, Clone, Copy)]
enum Chance {
    Claimed { count: usize, flavour: u8 },
    Answer(usize),
    End { pick: usize, how: u8 },
    Wait(u64),
    Beat,
    Revoke(u64),
    Drain,
    Stop,
}

fn chances() -> impl Strategy<Value = Vec<Chance>> {
    let chance = prop_oneof![
        6 => (1usize..40, any::<u8>()).prop_map(|(count, flavour)| Chance::Claimed { count, flavour }),
        8 => any::<usize>().prop_map(Chance::Answer),
        8 => (any::<usize>(), any::<u8>()).prop_map(|(pick, how)| Chance::End { pick, how }),
        4 => (0u64..3000).prop_map(Chance::Wait),
        2 => Just(Chance::Beat),
        2 => (0u64..60).prop_map(Chance::Revoke),
    ];
    let last = prop_oneof![Just(Chance::Drain), Just(Chance::Stop)];
    (prop::collection::vec(chance, 0..120), last).prop_map(|(mut chances, last)| {
        chances.push(last);
        chances
    })
}

/// Everything outside the engine, as far as it matters: what it owes answers for, and what it has been told.
struct World {
    bench: Bench,
    slots: usize,
    claim: Option<usize>,
    open: Vec<Command>,
    running: Vec<Ticket>,
    /// Final verdicts by tag; a lease that the store reports as lost is one.
    verdicts: BTreeMap<u64, u32>,
    claimed: u64,
    finished: bool,
}

impl World {
    fn new(slots: usize) -> Self {
        let mut world = Self {
            bench: Bench::new(slots),
            slots,
            claim: None,
            open: Vec::new(),
            running: Vec::new(),
            verdicts: BTreeMap::new(),
            claimed: 0,
            finished: false,
        };
        world.listen();
        world
    }

    fn listen(&mut self) {
        for command in std::mem::take(&mut self.bench.said) {
            match command {
                Command::Claim(max) => {
                    assert_eq!(self.claim, None, "two claims are under way");
                    assert!(max <= self.slots + MOST_EXTRA, "too much credit: {max}");
                    self.claim = Some(max);
                }
                Command::StopClaiming => self.claim = None,
                Command::Start(start) => {
                    assert!(!self.running.contains(&start.ticket), "started twice");
                    self.running.push(start.ticket);
                    assert!(self.running.len() <= self.slots, "more runs than slots");
                }
                Command::Settle { ticket, settle, trace } => {
                    if settle.verdict != Verdict::AckEarly {
                        *self.verdicts.entry(settle.lease.tag).or_default() += 1;
                    }
                    self.open.push(Command::Settle { ticket, settle, trace });
                }
                Command::LookUp { .. } | Command::Begin { .. } | Command::CallOff(_) => {
                    self.open.push(command);
                }
                Command::Finish(_) => self.finished = true,
                Command::Resize(_) => panic!("the number of slots is fixed here"),
                Command::Cancel { .. } | Command::Abort(_) => {}
            }
        }
    }

    fn step(&mut self, chance: Chance) {
        match chance {
            Chance::Claimed { count, flavour } => self.claimed(count, flavour),
            Chance::Answer(pick) => self.answer(pick),
            Chance::End { pick, how } => self.end(pick, how),
            Chance::Wait(millis) => self.bench.wait(Duration::from_millis(millis)),
            Chance::Beat => self.bench.beat(),
            Chance::Revoke(n) => self.bench.apply(Event::Revoked(vec![delivery(n).message.id])),
            Chance::Drain => self.bench.apply(Event::Drain),
            Chance::Stop => self.bench.apply(Event::Stop),
        }
        self.listen();
    }

    fn claimed(&mut self, count: usize, flavour: u8) {
        let Some(max) = self.claim.take() else { return };
        let mut arrivals = Vec::new();
        for n in 0..count.min(max) {
            arrivals.push(self.arrival(flavour.wrapping_add(n as u8)));
            self.claimed += 1;
        }
        self.bench.deliver(arrivals);
    }

    fn arrival(&mut self, flavour: u8) -> Arrival {
        let bench = &mut self.bench;
        let mut arrival = match flavour % 7 {
            0 => bench.of(TaskOptions { ack: AckMode::Early, ..TaskOptions::default() }),
            1 => bench.arrival(blocking(limited(SECOND))),
            2 => bench.of(limited(SECOND)),
            3 => bench.of(TaskOptions { isolate: Isolation::Process, ..TaskOptions::default() }),
            _ => bench.plain(),
        };
        arrival.delivery.redelivered = flavour.is_multiple_of(5);
        arrival.delivery.deaths = u32::from(flavour.is_multiple_of(11));
        arrival.delivery.revoked = flavour.is_multiple_of(13);
        match flavour % 17 {
            0 => set_eta(&mut arrival, self.bench.now.wall.plus(SECOND)),
            1 => set_eta(&mut arrival, self.bench.now.wall.plus(9 * SECOND)),
            2 => arrival.content = Content::Unknown { task: "u".into(), expires: None, eta: None },
            3 => {
                let why = Undecodable { reason: DeadReason::Malformed, detail: String::new() };
                arrival.content = Content::Undecodable(why);
            }
            _ => {}
        }
        arrival
    }

    fn answer(&mut self, pick: usize) {
        if self.open.is_empty() {
            return;
        }
        let event = match self.open.remove(pick % self.open.len()) {
            Command::Settle { ticket, settle, .. } => {
                Event::Settled(vec![(ticket, self.settled(&settle, pick))])
            }
            Command::CallOff(ticket) => Event::CalledOff { ticket, begun: pick.is_multiple_of(2) },
            Command::LookUp { ticket, .. } => Event::LookedUp { ticket, known: pick.is_multiple_of(2) },
            Command::Begin { ticket, .. } => match pick % 6 {
                0 => Event::Begun { ticket, begun: Begun::Ended },
                1 => Event::NotBegun(ticket),
                _ => Event::Begun { ticket, begun: Begun::Run(RunNumber(2)) },
            },
            other => panic!("nothing is owed for {other:?}"),
        };
        self.bench.apply(event);
    }

    fn settled(&mut self, settle: &Settle, pick: usize) -> Answer {
        let early = settle.verdict == Verdict::AckEarly;
        let verdicts = self.verdicts.entry(settle.lease.tag).or_default();
        match pick % 10 {
            0 => {
                *verdicts += u32::from(early);
                Answer::Settled(Settled::LeaseLost)
            }
            // The last thing that is tried is to give it back. Then it stays with the worker.
            1 => {
                let last = matches!(settle.verdict, Verdict::Release { .. });
                *verdicts -= u32::from(!early && !last);
                Answer::Refused(too_large())
            }
            _ => Answer::Settled(Settled::Done),
        }
    }

    fn end(&mut self, pick: usize, how: u8) {
        if self.running.is_empty() {
            return;
        }
        let ticket = self.running.remove(pick % self.running.len());
        if how.is_multiple_of(3) {
            self.bench.engine.apply(Event::Began(ticket), self.bench.now);
        }
        self.bench.end(
            ticket,
            match how % 7 {
                6 => Outcome::CannotStart("no process".into()),
                0 => failed("E"),
                1 => Outcome::Aborted,
                2 => Outcome::NotStarted,
                3 => Outcome::ChildDied("signal: 9".into()),
                _ => Outcome::Succeeded(Bytes::new()),
            },
        );
    }

    /// Lets everything come to its end.
    fn settle_down(&mut self) {
        for _ in 0..10_000 {
            if self.finished {
                return;
            }
            self.step(Chance::Answer(3));
            self.step(Chance::End { pick: 0, how: 4 });
            if self.open.is_empty() && self.running.is_empty() {
                self.step(Chance::Wait(1000));
            }
        }
        panic!("it never ends");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn each_claimed_delivery_gets_exactly_one_final_verdict(slots in 1usize..6, chances in chances()) {
        let mut world = World::new(slots);
        for chance in chances {
            world.step(chance);
        }
        world.settle_down();
        prop_assert!(world.bench.engine.held.is_empty(), "something is still held");
        for tag in 1..=world.claimed {
            let count = world.verdicts.get(&tag).copied().unwrap_or(0);
            prop_assert!(count == 1, "delivery {tag} has {count} verdicts");
        }
    }
}
