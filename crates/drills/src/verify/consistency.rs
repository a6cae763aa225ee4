use cardoon_errors::Result;
use serde::Serialize;

use super::fleet::PATIENCE;
use super::node::{self, CounterSpec, KEPT, Spec, Way};
use super::{Plan, Progress, Site};
use crate::WorkerProcess;

/// Nodes that change the record at the same time.
const NODES: u32 = 2;

/// How often the nodes try to lose an update: with little to add, one may have ended before the other begins.
const TRIES: u32 = 5;

/// Two nodes change one record at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consistency {
    /// Written only if nobody has written since it was read.
    pub compare_and_set: Sum,
    /// Read, added, written: shown for what it loses.
    pub naive: Sum,
}

/// What a counter came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sum {
    pub nodes: u32,
    /// What each node has added.
    pub each: u32,
    pub expected: u64,
    pub sum: u64,
    /// Updates that were written over.
    pub lost: u64,
    /// How often somebody else was first, so that a node had to read again.
    pub conflicts: u64,
    pub took_ms: u64,
}

impl Sum {
    pub(super) fn new(each: u32, sum: u64, conflicts: u64, took_ms: u64) -> Self {
        let expected = u64::from(each) * u64::from(NODES);
        Self { nodes: NODES, each, expected, sum, lost: expected.saturating_sub(sum), conflicts, took_ms }
    }
}

impl Consistency {
    pub fn passed(&self) -> bool {
        self.compare_and_set.sum == self.compare_and_set.expected
    }
}

pub(super) async fn measure(
    site: &Site,
    plan: &Plan,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Consistency> {
    let compare_and_set = count(site, plan.increments, Way::CompareAndSet).await?;
    progress(Progress::Step);
    let naive = losing(site, plan.increments).await?;
    progress(Progress::Step);
    Ok(Consistency { compare_and_set, naive })
}

/// The first try that has lost an update, or the last one.
async fn losing(site: &Site, each: u32) -> Result<Sum> {
    let mut sum = count(site, each, Way::Naive).await?;
    for _ in 1..TRIES {
        if sum.lost > 0 {
            break;
        }
        sum = count(site, each, Way::Naive).await?;
    }
    Ok(sum)
}

/// Has several processes add to one entry, and reads what it came to.
async fn count(site: &Site, each: u32, way: Way) -> Result<Sum> {
    let key = format!("{}:sum-{}", site.queue, site.number());
    let spec = |number| CounterSpec {
        name: format!("counter-{number}"),
        key: key.clone(),
        times: each,
        way,
        answer: site.new_file("conflicts"),
    };
    let specs: Vec<_> = (1..=NODES).map(spec).collect();
    let entries = specs.iter().map(CounterSpec::ready).chain([key.clone(), node::go(&key)]);
    entries.for_each(|entry| site.will_write(&entry));
    let start = |spec: &CounterSpec| site.start(&spec.name, &Spec::Counter(spec.clone()));
    let mut nodes = specs.iter().map(start).collect::<Result<Vec<_>>>()?;
    until_ready(site, &specs, &mut nodes).await?;
    let begun = site.clock.boot();
    site.stores().coord.put(&node::go(&key), bytes::Bytes::from_static(b"1"), Some(KEPT)).await?;
    let mut conflicts = 0;
    for (node, spec) in nodes.iter_mut().zip(&specs) {
        conflicts += conflicts_of(node, spec).await?;
    }
    let took_ms = site.clock.boot().since(begun).as_millis() as u64;
    let sum = node::read(site.stores().coord.as_ref(), &key).await?.0;
    Ok(Sum::new(each, sum, conflicts, took_ms))
}

async fn until_ready(site: &Site, specs: &[CounterSpec], nodes: &mut [WorkerProcess]) -> Result<()> {
    let end = site.clock.boot().plus(PATIENCE);
    for (spec, node) in specs.iter().zip(nodes) {
        while site.stores().coord.get(&spec.ready()).await?.is_none() {
            if node.ended().is_some() || site.clock.boot() > end {
                return Err(node.failed("it does not begin to count"));
            }
            site.clock.sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    Ok(())
}

async fn conflicts_of(node: &mut WorkerProcess, spec: &CounterSpec) -> Result<u64> {
    let status = node.wait(PATIENCE).await?;
    let answer = std::fs::read_to_string(&spec.answer).ok().and_then(|text| text.parse().ok());
    match answer {
        Some(conflicts) if status.success() => Ok(conflicts),
        _ => Err(node.failed("it did not count to the end")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(sum: u64) -> Sum {
        Sum::new(50, sum, 0, 1)
    }

    #[test]
    fn lost_updates_fail_with_compare_and_set_and_are_shown_without() {
        let measured = |cas, naive| Consistency { compare_and_set: sum(cas), naive: sum(naive) };
        assert!(measured(100, 61).passed());
        assert_eq!(measured(100, 61).naive.lost, 39);
        // A store that sets without comparing, or adds twice, is found out.
        assert!(!measured(99, 61).passed() && !measured(101, 61).passed());
    }
}
