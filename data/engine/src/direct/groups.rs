use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;

use super::keys::{Column, Numbering};

/// The widest table, in numbers: 128 MiB of it, of which only those pages take memory that a group lies in.
const WIDEST: u64 = 32 << 20;

/// Groups of keys that have small numbers, in the order in which they were met.
///
/// The numbers of a row's keys make one number, as digits do. A table has the group of each.
pub(super) struct Groups {
    columns: Vec<Column>,
    numberings: Vec<Numbering>,
    /// One more than the group of each number; 0 where there is none.
    table: Vec<u32>,
    /// The number of each group.
    numbers: Vec<u32>,
}

impl Groups {
    /// Nothing if keys of one of the `kinds` have no small numbers.
    pub(super) fn of(kinds: &[DataType]) -> Option<Self> {
        let columns = kinds.iter().map(Column::of).collect::<Option<Vec<_>>>()?;
        let numberings = vec![Numbering::default(); columns.len()];
        Some(Self { columns, numberings, table: Vec::new(), numbers: Vec::new() })
    }

    /// Puts the group of each row into `found`. `false` if there would be too many numbers; then no group has changed.
    pub(super) fn find(&mut self, keys: &[ArrayRef], found: &mut Vec<usize>) -> Result<bool> {
        let columns = self.columns.iter().zip(keys);
        let keys = columns.map(|(column, keys)| column.prepared(keys)).collect::<Result<Vec<_>>>()?;
        let met = self.columns.iter_mut().zip(&keys).map(|(column, keys)| column.meet(keys));
        let Some(numberings) = met.collect::<Option<Vec<_>>>() else { return Ok(false) };
        if numberings != self.numberings {
            let Some(width) = width(&numberings) else { return Ok(false) };
            self.renumber(numberings, width);
        }
        found.clear();
        found.resize(keys.first().map_or(0, |keys| keys.len()), 0);
        for ((column, keys), numbering) in self.columns.iter().zip(&keys).zip(&self.numberings) {
            column.add(keys, *numbering, found);
        }
        for number in found.iter_mut() {
            *number = self.group(*number);
        }
        Ok(true)
    }

    #[inline]
    fn group(&mut self, number: usize) -> usize {
        let place = &mut self.table[number];
        if *place == 0 {
            self.numbers.push(number as u32);
            *place = self.numbers.len() as u32;
        }
        *place as usize - 1
    }

    fn renumber(&mut self, after: Vec<Numbering>, width: usize) {
        // A new vector of zeros takes no memory where nothing is written.
        self.table = Vec::new();
        self.table = vec![0; width];
        for (group, number) in self.numbers.iter_mut().enumerate() {
            *number = renumbered(&self.columns, &self.numberings, &after, *number);
            self.table[*number as usize] = group as u32 + 1;
        }
        self.numberings = after;
    }

    pub(super) fn count(&self) -> usize {
        self.numbers.len()
    }

    /// Bytes in memory, at most.
    pub(super) fn size(&self) -> usize {
        (self.table.capacity() + self.numbers.capacity()) * size_of::<u32>()
    }

    /// The keys of each group, as arrays of these `kinds`.
    pub(super) fn keys(&self, kinds: &[DataType]) -> Result<Vec<ArrayRef>> {
        let mut rest: Vec<u64> = self.numbers.iter().map(|number| u64::from(*number)).collect();
        let mut keys = Vec::with_capacity(kinds.len());
        // From the last digit to the first one.
        for ((column, numbering), kind) in self.columns.iter().zip(&self.numberings).zip(kinds).rev() {
            let numbers: Vec<u64> = rest.iter().map(|number| number % numbering.width.max(1)).collect();
            for number in &mut rest {
                *number /= numbering.width.max(1);
            }
            keys.push(column.values(numbers, *numbering, kind)?);
        }
        keys.reverse();
        Ok(keys)
    }
}

/// How many numbers there are; nothing if a table would be too wide.
fn width(numberings: &[Numbering]) -> Option<usize> {
    let width = numberings.iter().try_fold(1_u64, |all, numbering| all.checked_mul(numbering.width))?;
    (width <= WIDEST).then_some(width as usize)
}

fn renumbered(columns: &[Column], before: &[Numbering], after: &[Numbering], number: u32) -> u32 {
    let (mut rest, mut place, mut unit) = (u64::from(number), 0, 1);
    for ((column, before), after) in columns.iter().zip(before).zip(after).rev() {
        let digit = column.renumbered(rest % before.width, *before, *after);
        rest /= before.width;
        place += digit * unit;
        unit *= after.width;
    }
    place as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use datafusion::arrow::array::{AsArray as _, Int64Array, StringArray};
    use datafusion::arrow::datatypes::Int64Type;

    use super::*;

    type Key = (Option<i64>, Option<String>);

    const KINDS: [DataType; 2] = [DataType::Int64, DataType::Utf8];

    fn arrays(keys: &[Key]) -> [ArrayRef; 2] {
        let numbers: Int64Array = keys.iter().map(|(number, _)| *number).collect();
        let texts: StringArray = keys.iter().map(|(_, text)| text.clone()).collect();
        [Arc::new(numbers), Arc::new(texts)]
    }

    fn found(groups: &mut Groups, keys: &[Key]) -> Option<Vec<usize>> {
        let mut found = Vec::new();
        groups.find(&arrays(keys), &mut found).unwrap().then_some(found)
    }

    fn numbers(groups: &mut Groups, keys: &[Option<i64>]) -> Option<Vec<usize>> {
        let keys: Vec<Key> = keys.iter().map(|key| (*key, None)).collect();
        found(groups, &keys)
    }

    fn keys(groups: &Groups) -> Vec<Key> {
        let arrays = groups.keys(&KINDS).unwrap();
        let texts = arrays[1].as_string::<i32>().iter().map(|text| text.map(str::to_owned));
        arrays[0].as_primitive::<Int64Type>().iter().zip(texts).collect()
    }

    fn key(number: impl Into<Option<i64>>, text: &str) -> Key {
        (number.into(), Some(text.to_owned()))
    }

    fn new() -> Groups {
        Groups::of(&KINDS).unwrap()
    }

    #[test]
    fn equal_keys_are_one_group_and_nulls_are_a_key() {
        let mut groups = new();
        let long = "a text that is longer than its view";
        let first = [key(5, "a"), (None, None), key(7, long), key(5, "a"), (None, None), key(5, long)];
        assert_eq!(found(&mut groups, &first), Some(vec![0, 1, 2, 0, 1, 3]));
        let second = [key(-3, "b"), key(7, long), (None, None), key(None, "a"), (Some(5), None)];
        assert_eq!(found(&mut groups, &second), Some(vec![4, 2, 1, 5, 6]));
        let all = [
            key(5, "a"),
            (None, None),
            key(7, long),
            key(5, long),
            key(-3, "b"),
            key(None, "a"),
            (Some(5), None),
        ];
        assert_eq!(keys(&groups), all);
    }

    #[test]
    fn keys_too_far_apart_are_refused_and_change_nothing() {
        let mut groups = new();
        assert_eq!(numbers(&mut groups, &[Some(i64::MIN), Some(i64::MAX)]), None);
        let mut groups = new();
        assert_eq!(numbers(&mut groups, &[Some(i64::MAX), Some(i64::MAX - 1)]), Some(vec![0, 1]));
        assert_eq!(numbers(&mut groups, &[Some(0)]), None);
        assert_eq!(keys(&groups), [(Some(i64::MAX), None), (Some(i64::MAX - 1), None)]);
        let mut groups = new();
        assert_eq!(numbers(&mut groups, &[Some(i64::MIN), Some(i64::MIN + 1)]), Some(vec![0, 1]));
        assert_eq!(numbers(&mut groups, &[Some(i64::MIN + 2 * WIDEST as i64)]), None);
    }

    #[test]
    fn texts_that_are_many_are_refused() {
        let mut groups = new();
        let keys = |many: i64| -> Vec<Key> { (0..many).map(|n| key(1, &n.to_string())).collect() };
        assert!(found(&mut groups, &keys(1024)).is_some());
        assert!(found(&mut groups, &keys(1025)).is_none());
    }

    #[test]
    fn a_table_that_grows_to_all_sides_finds_what_a_map_finds() {
        let mut random = fastrand::Rng::with_seed(7);
        let (mut groups, mut map) = (new(), BTreeMap::new());
        for (reach, texts) in [(1, 1), (10, 2), (1000, 9), (10_000, 30), (100_000, 40)] {
            let number = |random: &mut fastrand::Rng| (random.u8(..) > 9).then(|| random.i64(-reach..reach));
            let batch: Vec<Key> = (0..500)
                .map(|_| {
                    (number(&mut random), (random.u8(..) > 9).then(|| "ab".repeat(random.usize(0..texts))))
                })
                .collect();
            for (key, group) in batch.iter().zip(found(&mut groups, &batch).unwrap()) {
                assert_eq!(*map.entry(key.clone()).or_insert(group), group, "{key:?}");
            }
        }
        assert_eq!(groups.count(), map.len());
        let keys = keys(&groups);
        assert!(map.iter().all(|(key, group)| keys[*group] == *key));
    }
}
