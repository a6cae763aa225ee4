//! Ballista without anything of ours: its scheduler, its executors and its client, which an example in `data/cluster` starts.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use cardoon_bench_common::machine;
use tempfile::TempDir;

use super::{Run, rows};
use crate::inputs::Inputs;
use crate::queries::Query;

#[derive(Clone)]
pub(crate) struct Ballista {
    program: PathBuf,
}

/// A scheduler and four executors with two task slots each, which are there for one query: the words are those of our cluster.
const ON_CLUSTER: &str = r#"
mkfifo "$2/said"
begin=$(date +%s%N)
"$0" scheduler 4 > "$2/said" 2> /dev/null &
exec 3< "$2/said"
read -r port <&3
for executor in 1 2 3 4; do
    "$0" executor "$port" 2 > /dev/null 2>&1 3<&- &
done
read -r ready <&3
echo "$(($(date +%s%N) - begin)) ns to start" >&2
"$0" query "$port" "$1" 3<&-
"#;

impl Ballista {
    pub(crate) fn new(program: PathBuf) -> Self {
        Self { program }
    }

    pub(super) fn version(&self) -> String {
        format!("Ballista: {}", machine::output(&self.program.to_string_lossy(), &["version"]))
    }

    /// What its executors write goes into a folder that is removed afterwards, which they do not do.
    pub(super) fn run(&self, query: &Query, inputs: &Inputs) -> Result<Run> {
        let folder = TempDir::with_prefix("cardoon-bench-")?;
        let mut command = Command::new("sh");
        command.args(["-ec", ON_CLUSTER]).arg(&self.program).arg(query.sql(inputs)).arg(folder.path());
        rows::run(command.env("TMPDIR", folder.path()), query)
    }
}
