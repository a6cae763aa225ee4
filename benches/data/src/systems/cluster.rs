//! A cluster of ours: four executors with two threads each.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::{Cardoon, LIMIT, Run, rows};
use crate::inputs::Inputs;
use crate::process;
use crate::queries::Query;

/// Its words are the program, the query and a folder. The first line that it says is what the start took.
const START: &str = r#"
mkfifo "$2/address"
begin=$(date +%s%N)
"$0" cluster --workers 4 --threads 2 --bind 127.0.0.1:0 > "$2/address" 2> /dev/null &
read -r address < "$2/address"
echo "$(($(date +%s%N) - begin)) ns to start" >&2
"#;

const QUERY: &str = r#"
"$0" sql "$1" -o csv --cluster "$address"
"#;

/// Says what the executors have resident when they have had nothing to do for ten seconds.
const REST: &str = r#"
sleep 10
for executor in $(cat /proc/$!/task/*/children); do
    grep -E "^(VmRSS|RssAnon):" "/proc/$executor/status" >&2
done
"#;

const EXECUTORS: usize = 4;

/// What a process has resident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Resident {
    pub(crate) mb: f64,
    /// Without the pages of files, which are mostly the program and are shared.
    pub(crate) own_mb: f64,
}

impl Cardoon {
    /// A cluster is started for the query.
    pub(super) fn run_on_cluster(&self, query: &Query, inputs: &Inputs) -> Result<Run> {
        let folder = TempDir::with_prefix("cardoon-bench-")?;
        let script = format!("{START}{QUERY}");
        rows::run(&mut self.shell(&script, &query.sql(inputs), &folder), query)
    }

    /// Seconds until all executors are there.
    pub(crate) fn start_cluster(&self) -> Result<f64> {
        Ok(rows::start(&self.said(START, "")?))
    }

    /// The largest of the executors before any query, and after one.
    pub(crate) fn executors_at_rest(&self, sql: &str) -> Result<[Resident; 2]> {
        let executors = residents(&self.said(&format!("{START}{REST}{QUERY}{REST}"), sql)?);
        let looks = executors.len();
        ensure!(looks == 2 * EXECUTORS, "{looks} executors were looked at, not {EXECUTORS} twice");
        let (before, after) = executors.split_at(EXECUTORS);
        Ok([largest(before)?, largest(after)?])
    }

    fn said(&self, script: &str, sql: &str) -> Result<String> {
        let folder = TempDir::with_prefix("cardoon-bench-")?;
        Ok(process::run(&mut self.shell(script, sql, &folder), LIMIT)?.stderr)
    }

    /// Nobody ends the cluster but by force, so that its files are in a folder that is removed.
    fn shell(&self, script: &str, sql: &str, folder: &TempDir) -> Command {
        let mut command = Command::new("sh");
        command.args(["-ec", script]).arg(self.program()).arg(sql).arg(folder.path());
        command.env("TMPDIR", folder.path()).env("LC_ALL", "C");
        command
    }
}

fn largest(executors: &[Resident]) -> Result<Resident> {
    let largest = executors.iter().max_by(|one, other| one.mb.total_cmp(&other.mb));
    largest.copied().context("there are no executors")
}

/// As the kernel says it of one after the other: `VmRSS:     51234 kB`.
fn residents(said: &str) -> Vec<Resident> {
    let mb = |name: &str| -> Vec<f64> {
        let kib = said.lines().filter_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        kib.filter_map(|kib| kib.parse::<f64>().ok()).map(|kib| kib * 1024.0 / 1e6).collect()
    };
    mb("VmRSS:").into_iter().zip(mb("RssAnon:")).map(|(mb, own_mb)| Resident { mb, own_mb }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_of_each_executor_is_read() {
        let one = "VmRSS:\t   50000 kB\nRssAnon:\t   20000 kB\n";
        let other = "VmRSS:\t   1000 kB\nRssAnon:\t   500 kB\n";
        let said = format!("0.912 s: 9 rows and 81 B read\n{one}{other}");
        let expected = [Resident { mb: 51.2, own_mb: 20.48 }, Resident { mb: 1.024, own_mb: 0.512 }];
        assert_eq!(residents(&said), expected);
    }
}
