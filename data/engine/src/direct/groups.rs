use datafusion::arrow::array::{Array as _, ArrayRef, Int64Array};
use datafusion::arrow::buffer::NullBuffer;

/// The widest table, in numbers: 16 MiB of it.
const WIDEST: u64 = 4 << 20;

/// Where no group is yet.
const NONE: u32 = u32::MAX;

/// Groups of whole numbers that lie close together, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The group of each number from `begin` on.
    table: Vec<u32>,
    begin: i64,
    /// Of all keys so far.
    range: Option<Range>,
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
        let Some(of_keys) = bounds(keys) else { return true };
        let range = self.range.map_or(of_keys, |range| range.with(of_keys));
        if range.width() > WIDEST {
            return false;
        }
        if !self.has(range) {
            self.widen(range);
        }
        self.range = Some(range);
        true
    }

    fn has(&self, Range { first, last }: Range) -> bool {
        first >= self.begin && last.abs_diff(self.begin) < self.table.len() as u64
    }

    /// In steps that double, with the room on the side that grew.
    fn widen(&mut self, range: Range) {
        let width = range.width().next_power_of_two().min(WIDEST);
        let grows_down = self.range.is_some_and(|before| range.first < before.first);
        let room = width - 1;
        let begin = if grows_down {
            range.last.saturating_sub_unsigned(room)
        } else {
            range.first.min(i64::MAX.saturating_sub_unsigned(room))
        };
        let mut table = vec![NONE; width as usize];
        if let Some(Range { first, last }) = self.range {
            let (from, to) = (first.abs_diff(self.begin) as usize, first.abs_diff(begin) as usize);
            let count = last.abs_diff(first) as usize + 1;
            table[to..to + count].copy_from_slice(&self.table[from..from + count]);
        }
        (self.table, self.begin) = (table, begin);
    }

    #[inline]
    fn group(&mut self, key: i64) -> usize {
        let place = &mut self.table[key.wrapping_sub(self.begin) as usize];
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
#[derive(Debug, Clone, Copy)]
struct Range {
    first: i64,
    last: i64,
}

impl Range {
    fn with(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// How many numbers there are in it.
    fn width(self) -> u64 {
        self.last.abs_diff(self.first).saturating_add(1)
    }
}

/// Nothing if all keys are null.
fn bounds(keys: &Int64Array) -> Option<Range> {
    if keys.null_count() == 0 { range(keys.values().iter().copied()) } else { range(keys.iter().flatten()) }
}

fn range(mut keys: impl Iterator<Item = i64>) -> Option<Range> {
    let first = keys.next()?;
    let one = Range { first, last: first };
    Some(keys.fold(one, |range, key| range.with(Range { first: key, last: key })))
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
    fn what_the_table_can_reach_is_never_refused() {
        let mut random = fastrand::Rng::with_seed(3);
        for (least, most) in [(0, 1_000_000), (-2_000_000, 2_000_000), (7, 4_194_310)] {
            let mut groups = Groups::default();
            for batch in 0..40 {
                let keys: Vec<_> = (0..500).map(|_| Some(random.i64(least..most))).collect();
                assert!(found(&mut groups, &keys).is_some(), "batch {batch} of {least}..{most}");
            }
        }
        let mut groups = Groups::default();
        for least in (0..4_000_000).rev().step_by(50_000) {
            assert!(found(&mut groups, &[Some(least), Some(least + 1)]).is_some(), "{least}");
        }
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
