//! The arrows of `docs/architecture.md`.

use std::collections::BTreeSet;

/// A crate, what it may depend on, and what its tests may use besides.
struct Allowed {
    name: &'static str,
    normal: &'static [&'static str],
    dev: &'static [&'static str],
}

/// The dependencies that a crate has.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) normal: Vec<String>,
    pub(super) dev: Vec<String>,
}

macro_rules! house {
    ($($name:literal: [$($normal:literal)*] dev [$($dev:literal)*];)*) => {
        &[$(Allowed { name: $name, normal: &[$($normal),*], dev: &[$($dev),*] }),*]
    };
}

/// From the bottom up. A new arrow is a line here and in the picture, so somebody reviews it.
const HOUSE: &[Allowed] = house! {
    "cardoon-core": [] dev [];
    "cardoon-errors": [] dev [];
    "cardoon-runtime": ["cardoon-core" "cardoon-errors"] dev [];
    "cardoon-protocol": ["cardoon-core" "cardoon-errors"] dev [];
    "cardoon-scheduler": ["cardoon-core" "cardoon-errors"] dev [];
    "cardoon-children": ["cardoon-core" "cardoon-errors" "cardoon-runtime"] dev [];
    "cardoon-settings": ["cardoon-errors"] dev [];
    "cardoon-usage": ["cardoon-errors"] dev [];
    "cardoon-testkit": ["cardoon-core" "cardoon-runtime"] dev [];
    "cardoon-broker": ["cardoon-core" "cardoon-errors" "cardoon-runtime"] dev [];
    "cardoon-results": ["cardoon-core" "cardoon-errors" "cardoon-runtime"] dev [];
    "cardoon-coord": ["cardoon-core" "cardoon-errors" "cardoon-runtime"] dev [];
    "cardoon-sqlite":
        ["cardoon-broker" "cardoon-coord" "cardoon-core" "cardoon-errors" "cardoon-results" "cardoon-runtime"]
        dev ["cardoon-testkit"];
    "cardoon-redis":
        ["cardoon-broker" "cardoon-coord" "cardoon-core" "cardoon-errors" "cardoon-protocol" "cardoon-results"
         "cardoon-runtime"]
        dev ["cardoon-testkit"];
    "cardoon-connect":
        ["cardoon-broker" "cardoon-coord" "cardoon-errors" "cardoon-results" "cardoon-runtime" "cardoon-settings" "cardoon-redis"
         "cardoon-sqlite"]
        dev [];
    "cardoon-doctor":
        ["cardoon-broker" "cardoon-connect" "cardoon-core" "cardoon-errors" "cardoon-runtime" "cardoon-settings"]
        dev ["cardoon-testkit"];
    "cardoon-worker":
        ["cardoon-broker" "cardoon-children" "cardoon-core" "cardoon-errors" "cardoon-protocol" "cardoon-results" "cardoon-runtime"]
        dev ["cardoon-testkit" "cardoon-sqlite"];
    "cardoon-macros": [] dev [];
    "cardoon":
        ["cardoon-broker" "cardoon-connect" "cardoon-core" "cardoon-errors" "cardoon-macros" "cardoon-protocol"
         "cardoon-results" "cardoon-runtime" "cardoon-settings" "cardoon-worker"]
        dev ["cardoon-coord" "cardoon-testkit"];
    "cardoon-admin":
        ["cardoon-broker" "cardoon-connect" "cardoon-core" "cardoon-errors" "cardoon-protocol" "cardoon-results"
         "cardoon-settings"]
        dev ["cardoon-runtime" "cardoon-testkit"];
    "cardoon-gateway":
        ["cardoon" "cardoon-admin" "cardoon-broker" "cardoon-connect" "cardoon-coord" "cardoon-core" "cardoon-doctor" "cardoon-errors"
         "cardoon-protocol" "cardoon-runtime" "cardoon-settings"]
        dev ["cardoon-testkit"];
    "cardoon-drills":
        ["cardoon" "cardoon-broker" "cardoon-coord" "cardoon-core" "cardoon-errors" "cardoon-protocol" "cardoon-runtime"]
        dev ["cardoon-testkit"];
    "cardoon-cli":
        ["cardoon" "cardoon-admin" "cardoon-broker" "cardoon-children" "cardoon-connect" "cardoon-coord" "cardoon-core" "cardoon-doctor" "cardoon-drills"
         "cardoon-errors" "cardoon-gateway"
         "cardoon-protocol" "cardoon-results" "cardoon-runtime" "cardoon-scheduler" "cardoon-settings" "cardoon-usage" "cardoon-worker"]
        dev ["cardoon-testkit"];
    "cardoon-python":
        ["cardoon" "cardoon-children" "cardoon-cli" "cardoon-errors" "cardoon-runtime"]
        dev [];
    "cardoon-faults":
        ["cardoon" "cardoon-broker" "cardoon-connect" "cardoon-core" "cardoon-drills" "cardoon-errors"
         "cardoon-protocol" "cardoon-results" "cardoon-runtime" "cardoon-testkit" "cardoon-worker"]
        dev [];
    "cardoon-interop": ["cardoon" "cardoon-broker" "cardoon-core" "cardoon-drills" "cardoon-runtime" "cardoon-testkit"] dev [];
    "cardoon-operations": ["cardoon-testkit"] dev [];
    "cardoon-bench-common": [] dev [];
    "cardoon-bench-tasks": ["cardoon" "cardoon-bench-common" "cardoon-core" "cardoon-drills" "cardoon-runtime" "cardoon-testkit"] dev [];
    "cardoon-bench-data": ["cardoon-bench-common"] dev [];
    "cardoon-csv": [] dev [];
    "cardoon-frame": [] dev [];
    "cardoon-engine": ["cardoon-csv" "cardoon-errors" "cardoon-frame"] dev [];
    "cardoon-cluster": ["cardoon-engine" "cardoon-errors"] dev ["cardoon-frame"];
    "cardoon-data":
        ["cardoon" "cardoon-cluster" "cardoon-engine" "cardoon-errors" "cardoon-frame" "cardoon-runtime" "cardoon-settings"
         "cardoon-usage"] dev [];
    "cardoon-data-python": ["cardoon-cluster" "cardoon-data" "cardoon-engine" "cardoon-errors" "cardoon-frame"] dev [];
    "logs": ["cardoon-engine" "cardoon-frame"] dev [];
    "hello": ["cardoon"] dev [];
    "xtask": [] dev [];
};

/// What differs from the picture, one a line.
pub(super) fn check(found: &[Found]) -> Vec<String> {
    let names: BTreeSet<&str> = found.iter().map(|found| found.name.as_str()).collect();
    let gone = HOUSE.iter().filter(|allowed| !names.contains(allowed.name));
    let gone = gone.map(|allowed| format!("{}: is in the picture, not in the workspace", allowed.name));
    gone.chain(found.iter().flat_map(|found| [check_one(found), unused(found)].concat())).collect()
}

fn check_one(found: &Found) -> Vec<String> {
    let Some(allowed) = HOUSE.iter().find(|allowed| allowed.name == found.name) else {
        return vec![format!("{}: is not in the picture", found.name)];
    };
    let normal = found.normal.iter().filter(|name| !allowed.normal.contains(&name.as_str()));
    let may_test =
        |name: &&String| !allowed.dev.contains(&name.as_str()) && !allowed.normal.contains(&name.as_str());
    let dev = found.dev.iter().filter(may_test);
    let says = |name: &String, how: &str| format!("{} -> {name}: this {how} is not allowed", found.name);
    normal.map(|name| says(name, "dependency")).chain(dev.map(|name| says(name, "dev-dependency"))).collect()
}

/// Arrows that no manifest has. One that stayed in the picture would let the dependency come back unseen.
fn unused(found: &Found) -> Vec<String> {
    let Some(allowed) = HOUSE.iter().find(|allowed| allowed.name == found.name) else { return Vec::new() };
    let gone = |drawn: &[&'static str], has: &[String]| -> Vec<&'static str> {
        drawn.iter().copied().filter(|name| !has.iter().any(|other| other == name)).collect()
    };
    let gone = [gone(allowed.normal, &found.normal), gone(allowed.dev, &found.dev)].concat();
    gone.iter()
        .map(|name| format!("{} -> {name}: is in the picture, not in the manifest", found.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, normal: &[&str], dev: &[&str]) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        check_one(&Found { name: name.into(), normal: owned(normal), dev: owned(dev) })
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let findings = found("cardoon-sqlite", &["cardoon-broker", "cardoon-worker"], &["cardoon-testkit"]);
        assert_eq!(findings, ["cardoon-sqlite -> cardoon-worker: this dependency is not allowed"]);
    }

    #[test]
    fn tests_do_not_point_up_either() {
        let findings = found("cardoon-core", &[], &["cardoon-worker"]);
        assert_eq!(findings, ["cardoon-core -> cardoon-worker: this dev-dependency is not allowed"]);
    }

    #[test]
    fn a_crate_that_nobody_drew_is_found() {
        assert_eq!(found("cardoon-attic", &[], &[]), ["cardoon-attic: is not in the picture"]);
    }

    #[test]
    fn an_arrow_that_nobody_has_any_more_is_found() {
        let found =
            Found { name: "cardoon-scheduler".into(), normal: vec!["cardoon-core".into()], dev: Vec::new() };
        let findings = unused(&found);
        assert_eq!(findings, ["cardoon-scheduler -> cardoon-errors: is in the picture, not in the manifest"]);
    }

    #[test]
    fn the_picture_has_no_circle_and_points_down_only() {
        for (index, allowed) in HOUSE.iter().enumerate() {
            let below: BTreeSet<&str> = HOUSE[..index].iter().map(|allowed| allowed.name).collect();
            assert!(allowed.normal.iter().all(|name| below.contains(name)), "{}", allowed.name);
        }
    }
}
