use datafusion::arrow::array::{Array as _, ArrayRef, Int64Array};
use datafusion::arrow::buffer::NullBuffer;

/// The widest table, in numbers: 16 MiB of it.
const WIDEST: u64 = 4 << 20;

/// Where no group is yet.
const NONE: u32 = u32::MAX;

/// Groups of whole numbers that lie close together, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The group of each number from `least` on.
    table: Vec<u32>,
    least: i64,
    /// The number of each group; anything for the group of nulls.
    keys: Vec<i64>,
    of_nulls: Option<u32>,
}

impl Groups {
    /// Puts the group of each key into `found`. `false` if the keys lie too far apart; then nothing has changed.
    pub(super) fn find(&mut self, keys: &Int64Array, found: &mut Vec<usize>) -> bool {
        if !self.reach(keys) {
            return false;
        }
        found.clear();
        if keys.null_count() == 0 {
            found.extend(keys.values().iter().map(|key| self.group(*key)));
        } else {
            found.extend(keys.iter().map(|key| match key {
                Some(key) => self.group(key),
                None => self.null_group(),
            }));
        }
        true
    }

    /// Makes the table wide enough.
    fn reach(&mut self, keys: &Int64Array) -> bool {
        let Some(Range { first, last }) = bounds(keys) else { return true };
        let (first, last) = match self.table.len() {
            0 => (first, last),
            width => (first.min(self.least), last.max(self.least + (width as i64 - 1))),
        };
        let width = last.abs_diff(first).saturating_add(1);
        if width > WIDEST {
            return false;
        }
        if width > self.table.len() as u64 {
            self.widen(first, width as usize);
        }
        true
    }

    /// To the left no farther than needed, to the right in steps that double: numbers of things are mostly counted up.
    fn widen(&mut self, first: i64, width: usize) {
        let before = if self.table.is_empty() { 0 } else { self.least.abs_diff(first) as usize };
        let room = usize::try_from(i64::MAX.abs_diff(first)).unwrap_or(usize::MAX);
        let wide = width.next_power_of_two().min(WIDEST as usize).min(room);
        let mut table = vec![NONE; wide.max(width)];
        table[before..before + self.table.len()].copy_from_slice(&self.table);
        (self.table, self.least) = (table, first);
    }

    #[inline]
    fn group(&mut self, key: i64) -> usize {
        let place = &mut self.table[key.wrapping_sub(self.least) as usize];
        if *place == NONE {
            *place = self.keys.len() as u32;
            self.keys.push(key);
        }
        *place as usize
    }

    fn null_group(&mut self) -> usize {
        let group = *self.of_nulls.get_or_insert_with(|| {
            self.keys.push(0);
            self.keys.len() as u32 - 1
        });
        group as usize
    }

    pub(super) fn count(&self) -> usize {
        self.keys.len()
    }

    /// Bytes in memory.
    pub(super) fn size(&self) -> usize {
        self.table.capacity() * size_of::<u32>() + self.keys.capacity() * size_of::<i64>()
    }

    /// The key of each group, and begins anew.
    pub(super) fn take(&mut self) -> ArrayRef {
        let Self { keys, of_nulls, .. } = std::mem::take(self);
        let nulls = of_nulls
            .map(|group| (0..keys.len()).map(|other| other != group as usize).collect::<NullBuffer>());
        std::sync::Arc::new(Int64Array::new(keys.into(), nulls))
    }
}

/// From the least number to the largest.
struct Range {
    first: i64,
    last: i64,
}

/// Nothing if all keys are null.
fn bounds(keys: &Int64Array) -> Option<Range> {
    if keys.null_count() == 0 { range(keys.values().iter().copied()) } else { range(keys.iter().flatten()) }
}

fn range(mut keys: impl Iterator<Item = i64>) -> Option<Range> {
    let first = keys.next()?;
    let one = Range { first, last: first };
    Some(keys.fold(one, |range, key| Range { first: range.first.min(key), last: range.last.max(key) }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn found(groups: &mut Groups, keys: &[Option<i64>]) -> Option<Vec<usize>> {
        let mut found = Vec::new();
        groups.find(&keys.iter().copied().collect(), &mut found).then_some(found)
    }

    fn keys(groups: &mut Groups) -> Vec<Option<i64>> {
        let keys = groups.take();
        keys.as_any().downcast_ref::<Int64Array>().unwrap().iter().collect()
    }

    #[test]
    fn equal_keys_are_one_group_and_nulls_are_one() {
        let mut groups = Groups::default();
        assert_eq!(found(&mut groups, &[Some(5), None, Some(7), Some(5), None]), Some(vec![0, 1, 2, 0, 1]));
        assert_eq!(found(&mut groups, &[Some(-3), Some(7), None]), Some(vec![3, 2, 1]));
        assert_eq!(keys(&mut groups), [Some(5), None, Some(7), Some(-3)]);
        assert_eq!(found(&mut groups, &[Some(9)]), Some(vec![0]), "it begins anew");
    }

    #[test]
    fn keys_too_far_apart_are_refused_and_change_nothing() {
        let mut groups = Groups::default();
        assert_eq!(found(&mut groups, &[Some(i64::MIN), Some(i64::MAX)]), None);
        assert_eq!(found(&mut groups, &[Some(i64::MAX), Some(i64::MAX - 1)]), Some(vec![0, 1]));
        assert_eq!(found(&mut groups, &[Some(0)]), None);
        assert_eq!(keys(&mut groups), [Some(i64::MAX), Some(i64::MAX - 1)]);
        assert_eq!(found(&mut groups, &[Some(i64::MIN), Some(i64::MIN + 1)]), Some(vec![0, 1]));
        assert_eq!(found(&mut groups, &[Some(i64::MIN + WIDEST as i64)]), None);
        assert_eq!(found(&mut groups, &[Some(i64::MIN + WIDEST as i64 - 1)]), Some(vec![2]));
    }

    #[test]
    fn a_table_that_grows_to_both_sides_finds_what_a_map_finds() {
        let mut random = fastrand::Rng::with_seed(7);
        let (mut groups, mut map) = (Groups::default(), BTreeMap::new());
        for reach in [1, 10, 1000, 100_000, 2_000_000] {
            let batch: Vec<Option<i64>> =
                (0..500).map(|_| (random.u8(..) > 9).then(|| random.i64(-reach..reach))).collect();
            for (key, group) in batch.iter().zip(found(&mut groups, &batch).unwrap()) {
                assert_eq!(*map.entry(*key).or_insert(group), group, "{key:?}");
            }
        }
        assert_eq!(groups.count(), map.len());
        let keys = keys(&mut groups);
        assert!(map.iter().all(|(key, group)| keys[*group] == *key));
    }
}
