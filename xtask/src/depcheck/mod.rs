//! Who may depend on whom, and under which licences.

mod edges;
mod licence;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::run;

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

pub(crate) fn depcheck() -> Result<()> {
    let mut cargo = run::cargo(&["metadata", "--format-version", "1"]);
    let metadata: Metadata =
        serde_json::from_slice(&run::output(&mut cargo)?).context("cannot read cargo's metadata")?;
    let (ours, theirs): (Vec<_>, Vec<_>) =
        metadata.packages.iter().partition(|package| metadata.workspace_members.contains(&package.id));
    let mut findings = edges::check(&ours.iter().map(|package| edges_of(package)).collect::<Vec<_>>());
    findings.extend(theirs.iter().filter_map(|package| licence_problem(package)));
    if !findings.is_empty() {
        bail!("depcheck found {}:\n{}", findings.len(), findings.join("\n"));
    }
    println!("depcheck: {} crates of ours, {} of others, all in order", ours.len(), theirs.len());
    Ok(())
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
