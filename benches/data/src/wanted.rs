//! What `--only` asks for.

use anyhow::{Result, ensure};

use crate::queries::{LOGS, Query, TPCH};
use crate::systems::{self, System};

/// What stands for all queries of a kind.
const KINDS: [(&str, &[Query]); 2] = [("logs", LOGS), ("tpch", TPCH)];

pub(crate) struct Wanted {
    logs: Vec<&'static Query>,
    tpch: Vec<&'static Query>,
    systems: Vec<String>,
    is_all: bool,
}

/// What can be named.
pub(crate) fn help() -> String {
    let queries: Vec<&str> =
        KINDS.iter().flat_map(|(_, queries)| queries.iter().map(|query| query.name)).collect();
    let kinds = KINDS.map(|(kind, _)| kind);
    format!(
        "Only these queries, on these systems. Then the tables are printed and the page is not written.\n\
         Queries: {}; or all of a kind: {}.\nSystems: {}",
        queries.join(", "),
        kinds.join(", "),
        systems::names().join(", ")
    )
}

impl Wanted {
    /// Names of queries, of their kinds and of systems. Without a name of a query all are wanted, and so it is with systems.
    pub(crate) fn new(only: &[String]) -> Result<Self> {
        let systems: Vec<_> = systems::names().into_iter().filter(|system| only.contains(system)).collect();
        let of_queries: Vec<_> =
            only.iter().filter(|name| !systems.contains(name)).map(String::as_str).collect();
        let unknown = of_queries.iter().find(|name| !is_known(name));
        ensure!(unknown.is_none(), "there is no {}.\n{}", unknown.unwrap_or(&""), help());
        let [logs, tpch] = KINDS.map(|(kind, queries)| named(kind, queries, &of_queries));
        Ok(Self {
            logs,
            tpch,
            systems: if systems.is_empty() { systems::names() } else { systems },
            is_all: only.is_empty(),
        })
    }

    /// Queries over logs.
    pub(crate) fn logs(&self) -> &[&'static Query] {
        &self.logs
    }

    /// Queries of TPC-H.
    pub(crate) fn tpch(&self) -> &[&'static Query] {
        &self.tpch
    }

    /// Those of all systems that are wanted.
    pub(crate) fn of_all(&self, all: Vec<System>) -> Vec<System> {
        all.into_iter().filter(|system| self.systems.contains(&system.name)).collect()
    }

    pub(crate) fn is_all(&self) -> bool {
        self.is_all
    }
}

fn is_known(name: &str) -> bool {
    KINDS.iter().any(|(kind, queries)| name == *kind || queries.iter().any(|query| query.name == name))
}

/// Those of a kind that are among the names, which are all of them where there is no name.
fn named(kind: &str, queries: &'static [Query], names: &[&str]) -> Vec<&'static Query> {
    let has_all = names.is_empty() || names.contains(&kind);
    queries.iter().filter(|query| has_all || names.contains(&query.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(names: &[&str]) -> Result<Wanted> {
        Wanted::new(&names.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn names_of_systems_leave_all_queries_and_the_other_way_round() {
        let dask = wanted(&["dask-4x2", "cardoon"]).unwrap();
        assert_eq!(dask.systems, ["cardoon", "dask-4x2"]);
        assert_eq!((dask.logs().len(), dask.tpch().len()), (LOGS.len(), TPCH.len()));
        let count = wanted(&["count"]).unwrap();
        assert_eq!(count.systems, systems::names());
        assert_eq!((count.logs().len(), count.tpch().len()), (1, 0));
        assert!(!count.is_all());
        assert!(wanted(&[]).unwrap().is_all());
    }

    #[test]
    fn a_kind_stands_for_its_queries() {
        let queries = |names: &[&str]| {
            let wanted = wanted(names).unwrap();
            (wanted.logs().len(), wanted.tpch().len())
        };
        assert_eq!(queries(&["tpch", "duckdb"]), (0, TPCH.len()));
        assert_eq!(queries(&["logs", "q6"]), (LOGS.len(), 1));
        assert_eq!(queries(&["q1", "q6", "q1"]), (0, 2));
    }

    #[test]
    fn what_is_wanted_must_exist() {
        assert!(wanted(&["count", "duckbd"]).err().unwrap().to_string().starts_with("there is no duckbd."));
        assert!(wanted(&["q0"]).is_err());
    }
}
