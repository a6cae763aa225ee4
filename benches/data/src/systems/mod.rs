//! The systems that are measured: ours, what it stands on, and those that Python programs drive.

mod ballista;
mod cardoon;
mod cluster;
mod python;
mod rows;

use std::time::Duration;

use anyhow::Result;

pub(crate) use self::ballista::Ballista;
pub(crate) use self::cardoon::Cardoon;
pub(crate) use self::cluster::Resident;
use self::python::Peer;
pub(crate) use self::python::{generate_tables, generator, interpreter as peers_python};
pub(crate) use self::rows::timing;
use crate::answer::Answer;
use crate::inputs::Inputs;
use crate::queries::Query;

/// What a process may take for one query.
pub(crate) const LIMIT: Duration = Duration::from_mins(5);

pub(crate) struct System {
    /// What `--only` calls it.
    pub(crate) name: String,
    /// What a table calls it.
    pub(crate) title: String,
    kind: Kind,
}

enum Kind {
    Cardoon(Cardoon),
    /// Ours, on a cluster of processes.
    Cluster(Cardoon),
    /// What our cluster is made with, on as many processes.
    Ballista(Ballista),
    Peer(Peer),
}

/// What one run came to.
pub(crate) struct Run {
    /// Without imports and starts, if the process says it.
    pub(crate) query_secs: Option<f64>,
    /// The start of a cluster; 0 where there is none.
    pub(crate) start_secs: f64,
    /// The whole process.
    pub(crate) wall_secs: f64,
    pub(crate) peak_mb: f64,
    pub(crate) answer: Answer,
}

/// What `--only` calls our cluster.
const CLUSTER: &str = "cardoon-4x2";

/// What it calls one without anything of ours.
const BALLISTA: &str = "ballista-4x2";

/// Those that are asked about logs. Ours come first.
pub(crate) fn all(cardoon: Cardoon, ballista: Ballista) -> Vec<System> {
    let cluster =
        System { name: CLUSTER.into(), title: "Cardoon 4x2".into(), kind: Kind::Cluster(cardoon.clone()) };
    let bare = System { name: BALLISTA.into(), title: "Ballista 4x2".into(), kind: Kind::Ballista(ballista) };
    [System::ours(cardoon), cluster, bare]
        .into_iter()
        .chain(python::peers().into_iter().map(System::peer))
        .collect()
}

/// Those that are asked the queries of TPC-H, in the same words.
pub(crate) fn in_sql(cardoon: Cardoon) -> Vec<System> {
    let peers = python::peers_in_sql().into_iter().map(System::peer);
    std::iter::once(System::ours(cardoon)).chain(peers).collect()
}

/// What `--only` may call a system.
pub(crate) fn names() -> Vec<String> {
    let started = ["cardoon", CLUSTER, BALLISTA].map(String::from);
    started.into_iter().chain(python::peers().iter().map(Peer::name)).collect()
}

impl System {
    fn ours(cardoon: Cardoon) -> Self {
        Self { name: "cardoon".into(), title: "Cardoon".into(), kind: Kind::Cardoon(cardoon) }
    }

    fn peer(peer: Peer) -> Self {
        Self { name: peer.name(), title: peer.title(), kind: Kind::Peer(peer) }
    }

    /// Ours in one process, which the others are compared with.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.kind, Kind::Cardoon(_))
    }

    /// One that ours is compared with. Bare Ballista is not, but beside our cluster.
    pub(crate) fn is_peer(&self) -> bool {
        matches!(self.kind, Kind::Peer(_))
    }

    /// Whether it is of our making, so that it must not fail.
    pub(crate) fn is_cardoon(&self) -> bool {
        matches!(self.kind, Kind::Cardoon(_) | Kind::Cluster(_))
    }

    /// What it is called with its version, if it is one that a line about versions should have.
    pub(crate) fn version(&self) -> String {
        match &self.kind {
            Kind::Cardoon(cardoon) | Kind::Cluster(cardoon) => cardoon.version(),
            Kind::Ballista(ballista) => ballista.version(),
            Kind::Peer(peer) => peer.version(),
        }
    }

    pub(crate) fn run(&self, query: &Query, inputs: &Inputs) -> Result<Run> {
        match &self.kind {
            Kind::Cardoon(cardoon) => cardoon.run(query, inputs),
            Kind::Cluster(cardoon) => cardoon.run_on_cluster(query, inputs),
            Kind::Ballista(ballista) => ballista.run(query, inputs),
            Kind::Peer(peer) => peer.run(query, inputs),
        }
    }
}
