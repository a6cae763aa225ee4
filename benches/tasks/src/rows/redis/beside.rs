//! A rate of ours beside those of other task queues.

use crate::page::{Row, rate, times};
use crate::sides::peer::{Peer, Peers};
use cardoon_bench_common::median;

/// Medians.
pub(crate) struct Beside {
    cardoon: f64,
    /// Each with its name.
    peers: Vec<(String, f64)>,
    absent: Vec<String>,
}

impl Beside {
    /// The runs of ours, and those of each peer.
    pub(crate) fn new(
        cardoon: Vec<f64>,
        peers: &Peers,
        runs: Vec<Vec<f64>>,
        name: impl Fn(&dyn Peer) -> String,
    ) -> Self {
        let names = peers.here.iter().map(|peer| name(peer.as_ref()));
        let rates = names.zip(runs.into_iter().map(median)).collect();
        Self { cardoon: median(cardoon), peers: rates, absent: peers.absent.clone() }
    }

    /// A row that asks for `factor` times the best peer.
    pub(crate) fn row(&self, measure: &str, factor: f64, goal: &str) -> Row {
        let best = self.peers.iter().map(|(_, rate)| *rate).reduce(f64::max);
        let of_best = best.map(|best| format!("; {} the best", times(self.cardoon / best)));
        Row {
            measure: measure.into(),
            cardoon: rate(self.cardoon) + &of_best.unwrap_or_default(),
            beside: self.told(),
            goal: goal.into(),
            is_met: best.map(|best| self.cardoon >= factor * best),
        }
    }

    fn told(&self) -> String {
        let told = self.peers.iter().map(|(name, per_sec)| format!("{name}: {}", rate(*per_sec)));
        told.chain(self.absent.iter().cloned()).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_peer_nothing_is_asked_and_the_row_says_why() {
        let peers = Peers { here: Vec::new(), absent: vec!["Other 1.0: not available: no Node".into()] };
        let row = Beside::new(vec![2000.0], &peers, Vec::new(), |peer| peer.name()).row("drain", 2.0, ">= 2");
        assert_eq!(row.cardoon, "2.0 k/s");
        assert_eq!((row.beside.as_str(), row.is_met), ("Other 1.0: not available: no Node", None));
    }
}
