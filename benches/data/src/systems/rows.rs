//! Programs that write the rows of a query as CSV and tell on standard error what that took.

use std::process::Command;

use anyhow::Result;

use super::{LIMIT, Run};
use crate::answer::Answer;
use crate::process;
use crate::queries::Query;

pub(super) fn run(command: &mut Command, query: &Query) -> Result<Run> {
    let ended = process::run(command.env("LC_ALL", "C"), LIMIT)?;
    Ok(Run {
        query_secs: timing(&ended.stderr),
        start_secs: start(&ended.stderr),
        wall_secs: ended.wall.as_secs_f64(),
        peak_mb: ended.peak_mb,
        answer: Answer::of_csv(&ended.stdout, query.columns)?,
    })
}

/// The seconds that the query took: the last line on standard error begins with them, as in `2.134 s: 9 rows …`.
pub(crate) fn timing(stderr: &str) -> Option<f64> {
    let (seconds, _) = stderr.lines().next_back()?.split_once(" s: ")?;
    seconds.parse().ok()
}

/// The seconds that a cluster took to start, 0 without one.
pub(super) fn start(stderr: &str) -> f64 {
    let nanoseconds = stderr.lines().find_map(|line| line.strip_suffix(" ns to start")?.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_cluster_is_told_apart() {
        assert!((start("430000000 ns to start\n2.134 s: 9 rows\n") - 0.43).abs() < 1e-9);
        assert!(start("2.134 s: 9 rows\n").abs() < 1e-9);
    }

    #[test]
    fn the_last_line_begins_with_the_time_of_the_query() {
        assert_eq!(timing("something\n2.134 s: 9 rows and 81 B read\n"), Some(2.134));
        assert_eq!(timing("12 rows were left out\n"), None);
    }
}
