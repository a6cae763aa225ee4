//! Which executor reads which files: about the same number of bytes for each partition.

use std::sync::Arc;

use cardoon_csv::{Dialect, Part, Source};
use cardoon_errors::Error;
use datafusion::error::Result;
use serde::{Deserialize, Serialize};

use super::cuts::Cuts;
use super::files::Files;
use crate::errors::IntoEngine as _;
use crate::tables::location::Location;

/// How many times the bytes of a compressed file its contents are taken for.
const PACKED: u64 = 5;

/// A file, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    pub(super) file: Location,
    pub(super) part: Option<Part>,
}

/// The pieces of each partition. One that is alone reads them in the order of the files; with `in_order` each reads what
/// stands before the pieces of the next one.
pub(super) async fn over(
    files: &Files,
    cuts: &Cuts,
    partitions: usize,
    in_order: bool,
) -> Result<Vec<Vec<Piece>>> {
    let weights: Vec<u64> =
        files.locations.iter().zip(&files.sources).map(|(file, source)| weight(file, &**source)).collect();
    let share = weights.iter().sum::<u64>().div_ceil(partitions.max(1) as u64);
    let mut pieces = Vec::new();
    for ((file, source), weight) in files.locations.iter().zip(&files.sources).zip(weights) {
        let count = if partitions == 1 { 1 } else { count(weight, share) };
        let whole = Piece { file: absolute(file)?, part: None };
        if count == 1 {
            pieces.push((whole, weight));
        } else {
            pieces.extend(cut(cuts, (whole, weight), source, &files.layout.options.dialect, count).await?);
        }
    }
    Ok(if in_order { one_after_the_other(pieces, share) } else { balanced(pieces, partitions) })
}

/// As an executor finds it.
fn absolute(file: &Location) -> Result<Location> {
    Ok(match file {
        Location::Local(path) => Location::Local(std::path::absolute(path)?),
        Location::Object(object) => Location::Object(object.clone()),
    })
}

fn weight(file: &Location, source: &dyn Source) -> u64 {
    source.len().unwrap_or_else(|| file.bytes() * PACKED)
}

/// In how many parts a file is read. To cut it, it has to be read once more, so that a file is only cut that one
/// partition would be busy with long after the others.
fn count(weight: u64, share: u64) -> usize {
    let share = share.max(1);
    if weight * 2 <= share * 3 { 1 } else { weight.div_ceil(share) as usize }
}

async fn cut(
    cuts: &Cuts,
    (whole, weight): (Piece, u64),
    source: &Arc<dyn Source>,
    dialect: &Dialect,
    count: usize,
) -> Result<Vec<(Piece, u64)>> {
    let parts = cuts.of(&whole.file, source, dialect, count).await.map_err(Error::into_engine)?;
    let Some(parts) = parts else { return Ok(vec![(whole, weight)]) };
    let piece = |part: Part| (Piece { part: Some(part), ..whole.clone() }, part.end - part.start);
    Ok(parts.into_iter().map(piece).collect())
}

/// The heaviest first, each to the partition that has least so far.
fn balanced(mut pieces: Vec<(Piece, u64)>, partitions: usize) -> Vec<Vec<Piece>> {
    let partitions = partitions.clamp(1, pieces.len().max(1));
    if partitions > 1 {
        pieces.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    }
    let mut groups = vec![(0, Vec::new()); partitions];
    for (piece, weight) in pieces {
        if let Some((load, group)) = groups.iter_mut().min_by_key(|(load, _)| *load) {
            *load += weight;
            group.push(piece);
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// A partition is full when it has most of its share.
fn one_after_the_other(pieces: Vec<(Piece, u64)>, share: u64) -> Vec<Vec<Piece>> {
    let mut groups = vec![(0, Vec::new())];
    for (piece, weight) in pieces {
        if groups.last().is_some_and(|(load, group)| !group.is_empty() && load + weight / 2 > share) {
            groups.push((0, Vec::new()));
        }
        if let Some((load, group)) = groups.last_mut() {
            *load += weight;
            group.push(piece);
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(name: &str) -> Piece {
        Piece { file: Location::Local(name.into()), part: None }
    }

    #[test]
    fn every_partition_gets_about_the_same() {
        let pieces = [("a", 10), ("b", 90), ("c", 50), ("d", 40)].map(|(name, weight)| (piece(name), weight));
        let groups = balanced(pieces.to_vec(), 2);
        assert_eq!(groups, [vec![piece("b"), piece("a")], vec![piece("c"), piece("d")]]);
    }

    #[test]
    fn a_partition_that_is_alone_keeps_the_order() {
        let groups = balanced(vec![(piece("a"), 1), (piece("b"), 9)], 1);
        assert_eq!(groups, [vec![piece("a"), piece("b")]]);
    }

    #[test]
    fn in_order_each_partition_has_what_comes_before_the_next_one() {
        let pieces = [("a", 10), ("b", 45), ("c", 50), ("d", 40), ("e", 5), ("f", 1)];
        let groups = one_after_the_other(pieces.map(|(name, weight)| (piece(name), weight)).to_vec(), 76);
        assert_eq!(
            groups,
            [vec![piece("a"), piece("b")], vec![piece("c"), piece("d")], vec![piece("e"), piece("f")]]
        );
        assert_eq!(one_after_the_other(Vec::new(), 1), [Vec::new()]);
    }

    #[test]
    fn files_are_cut_only_if_one_would_be_waited_for() {
        assert_eq!((count(100, 100), count(150, 100), count(151, 100), count(400, 100)), (1, 1, 2, 4));
        assert_eq!(count(0, 0), 1);
    }
}
