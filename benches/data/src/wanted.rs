//! What `--only` asks for.

use anyhow::{Result, ensure};

use crate::queries::{QUERIES, Query};
use crate::systems::{self, System};

pub(crate) struct Wanted {
    queries: Vec<&'static Query>,
    systems: Vec<String>,
    is_all: bool,
}

/// What can be named.
pub(crate) fn help() -> String {
    let queries: Vec<&str> = QUERIES.iter().map(|query| query.name).collect();
    format!(
        "Only these queries, on these systems. Then the tables are printed and the page is not written.\n\
         Queries: {}.\nSystems: {}",
        queries.join(", "),
        systems::names().join(", ")
    )
}

impl Wanted {
    /// Names of queries and of systems; all of a kind that is not named.
    pub(crate) fn new(only: &[String]) -> Result<Self> {
        let queries: Vec<_> =
            QUERIES.iter().filter(|query| only.iter().any(|name| name == query.name)).collect();
        let systems: Vec<_> = systems::names().into_iter().filter(|system| only.contains(system)).collect();
        let is_known =
            |name: &String| systems.contains(name) || queries.iter().any(|query| query.name == name);
        let unknown = only.iter().find(|name| !is_known(name));
        ensure!(unknown.is_none(), "there is no {}.\n{}", unknown.map_or("", String::as_str), help());
        Ok(Self {
            queries: if queries.is_empty() { QUERIES.iter().collect() } else { queries },
            systems: if systems.is_empty() { systems::names() } else { systems },
            is_all: only.is_empty(),
        })
    }

    pub(crate) fn queries(&self) -> &[&'static Query] {
        &self.queries
    }

    /// Those of all systems that are wanted.
    pub(crate) fn of_all(&self, all: Vec<System>) -> Vec<System> {
        all.into_iter().filter(|system| self.systems.contains(&system.name)).collect()
    }

    pub(crate) fn is_all(&self) -> bool {
        self.is_all
    }
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
        assert_eq!(dask.queries().len(), QUERIES.len());
        let count = wanted(&["count"]).unwrap();
        assert_eq!(count.systems, systems::names());
        assert_eq!(count.queries().len(), 1);
        assert!(!count.is_all());
        assert!(wanted(&[]).unwrap().is_all());
    }

    #[test]
    fn what_is_wanted_must_exist() {
        assert!(wanted(&["count", "duckbd"]).err().unwrap().to_string().starts_with("there is no duckbd."));
    }
}
