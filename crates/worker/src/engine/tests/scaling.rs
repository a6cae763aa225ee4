//! Slots that come and go with the load.

use super::bench::{Bench, SECOND};
use crate::engine::Command;

fn resized(bench: &mut Bench) -> Vec<usize> {
    bench.take(|command| match command {
        Command::Resize(slots) => Some(*slots),
        _ => None,
    })
}

#[test]
fn busy_slots_become_more_up_to_the_limit_and_idle_ones_fewer_by_and_by() {
    let mut bench = Bench::scaling(2, 4);
    let arrivals = (0..2).map(|_| bench.plain()).collect();
    bench.deliver(arrivals);
    let mut running = bench.started();
    assert!(resized(&mut bench).is_empty(), "a moment of load is none");
    bench.wait(SECOND);
    assert_eq!(resized(&mut bench), [3]);
    let arrival = bench.plain();
    bench.deliver(vec![arrival]);
    running.extend(bench.started());
    bench.wait(SECOND);
    bench.wait(SECOND);
    assert_eq!(resized(&mut bench), [4]);
    for ticket in running {
        bench.succeed(ticket);
    }
    for expected in [3, 2] {
        bench.wait(29 * SECOND);
        assert!(resized(&mut bench).is_empty());
        bench.wait(SECOND);
        assert_eq!(resized(&mut bench), [expected]);
    }
    bench.wait(100 * SECOND);
    assert!(resized(&mut bench).is_empty());
}
