//! All tests.

use anyhow::Result;

use crate::{python, repository, run, setup};

pub(crate) fn test(args: &[String]) -> Result<()> {
    let (ours, cargos): (Vec<_>, Vec<_>) = args.iter().cloned().partition(|arg| arg == "--yes");
    setup::setup(&ours)?;
    // Tests of clusters start the program that lies beside their own, so it is built before them.
    run::run(&mut run::cargo(&["build", "--release", "--workspace", "--bins"]))?;
    run::run(run::cargo(&["test", "--release", "--workspace"]).args(cargos))?;
    // Without the optimizer the query engine is built in a third of the time, and the tests' tables are small.
    let data = repository::root().join("data/Cargo.toml");
    run::run(run::cargo(&["test", "--workspace", "--manifest-path"]).arg(data))?;
    python::test(&[])?;
    python::test_data(&[])?;
    // Last, since it leaves a command with this feature where the one without it lay.
    let otlp = ["test", "--release", "--workspace", "--features", "cardoon-cli/otlp", "--test", "otlp"];
    run::run(&mut run::cargo(&otlp))
}
