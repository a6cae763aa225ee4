//! Who may depend on whom, and under which licences.

mod edges;
mod licence;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{repository, run};

/// The part of `cargo metadata` that is looked at.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    license: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    /// Set for crates of this repository.
    path: Option<String>,
}

/// The workspaces: that of the tasks, and that of the data.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "data/Cargo.toml"];

pub(crate) fn depcheck() -> Result<()> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for manifest in MANIFESTS {
        let Metadata { packages, workspace_members } = metadata(manifest)?;
        let (members, others): (Vec<_>, Vec<_>) =
            packages.into_iter().partition(|package| workspace_members.contains(&package.id));
        ours.extend(members);
        theirs.extend(others);
    }
    let mut findings = edges::check(&ours.iter().map(edges_of).collect::<Vec<_>>());
    findings.extend(theirs.iter().filter_map(licence_problem));
    if !findings.is_empty() {
        bail!("depcheck found {}:\n{}", findings.len(), findings.join("\n"));
    }
    println!("depcheck: {} crates of ours, {} of others, all in order", ours.len(), theirs.len());
    Ok(())
}

fn metadata(manifest: &str) -> Result<Metadata> {
    let manifest = repository::root().join(manifest);
    let mut cargo = run::cargo(&["metadata", "--format-version", "1", "--manifest-path"]);
    let answer = run::output(cargo.arg(manifest))?;
    serde_json::from_slice(&answer).context("cannot read cargo's metadata")
}

fn edges_of(package: &Package) -> edges::Found {
    let ours = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
    let (dev, normal): (Vec<_>, Vec<_>) =
        ours.partition(|dependency| dependency.kind.as_deref() == Some("dev"));
    let names = |list: Vec<&Dependency>| list.iter().map(|dependency| dependency.name.clone()).collect();
    edges::Found { name: package.name.clone(), normal: names(normal), dev: names(dev) }
}

fn licence_problem(package: &Package) -> Option<String> {
    let licence = package.license.as_deref().unwrap_or("none");
    (!licence::is_allowed(licence)).then(|| format!("{}: the licence {licence} is not allowed", package.name))
}
