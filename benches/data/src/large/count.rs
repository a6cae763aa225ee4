use std::io::{BufRead as _, BufReader, Read};

use anyhow::{Context, Result, ensure};
use cardoon_bench_common::median;

use super::asked::Asked;
use super::row::Row;
use super::tally::Tally;
use crate::inputs::{Inputs, Share};
use crate::systems::Cardoon;

/// Files of two counts; in ten gigabytes of logs the larger ones do not fit into the processor's caches by far, and take four
/// times as long if nothing grows faster than the files do.
const FILES: [usize; 2] = [4, 16];
/// The rate of the larger count over that of the smaller one, at least.
const GOAL: f64 = 0.9;

/// Count per user over some of the logs and over four times as many.
pub(super) fn rows(cardoon: &Cardoon, inputs: &Inputs, runs: u16) -> Result<Vec<Row>> {
    let [few, many] = FILES.map(|files| inputs.share(files));
    let (few, many) = (few?, many?);
    let measure = format!(
        "count per user over {:.1} GB and over {:.1} GB, warm: MB/s each and their ratio",
        few.gb(),
        many.gb()
    );
    let goal = format!("ratio >= {GOAL}");
    Ok(vec![Row::new(measure, goal, compared(cardoon, &[few, many], runs))])
}

fn compared(cardoon: &Cardoon, shares: &[Share; 2], runs: u16) -> Result<(String, bool)> {
    let [few, many] = shares.each_ref().map(|share| rate(cardoon, share, runs));
    let (few, many) = (few?, many?);
    let ratio = many / few;
    Ok((format!("{few:.0} and {many:.0} MB/s; {ratio:.2}"), ratio >= GOAL))
}

/// MB/s, the median of several runs.
fn rate(cardoon: &Cardoon, share: &Share, runs: u16) -> Result<f64> {
    let logs = Tally::of_files(&share.files)?;
    let sql = per_user(share);
    let secs = (0..runs).map(|_| {
        let asked = Asked::new(cardoon, &sql, &[], counted)?;
        ensure!(asked.rows == logs.rows, "it counts {} rows of {}", asked.rows, logs.rows);
        Ok(asked.secs)
    });
    Ok(share.bytes as f64 / 1e6 / median(secs.collect::<Result<_>>()?))
}

pub(super) fn per_user(share: &Share) -> String {
    format!("select user_id, count(*) as n from {} group by user_id", share.table())
}

/// The sum of the counts, which are the last column.
fn counted(from: impl Read) -> Result<u64> {
    let counts = BufReader::new(from).lines().skip(1).map(|line| {
        let line = line?;
        let (_, count) = line.rsplit_once(',').context("a row has no count")?;
        Ok(count.parse::<u64>()?)
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stand_in_the_last_column_under_a_header() {
        assert_eq!(counted("user_id,n\n17,2\n4,40\n".as_bytes()).unwrap(), 42);
        assert!(counted("user_id,n\n17\n".as_bytes()).is_err());
    }
}
