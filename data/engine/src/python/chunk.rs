use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures_util::{Stream, StreamExt as _, stream};

use super::rows;

/// Rows that a function is given at once.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The number of the first one among those of its partition.
    pub(super) first_row: u64,
    pub(super) batches: Vec<RecordBatch>,
}

/// Collects rows until there are enough of them.
struct Cutter {
    /// Bytes that are enough.
    enough: usize,
    /// Columns whose values tell groups apart; a cut is only made between two groups.
    keys: Vec<usize>,
    batches: Vec<RecordBatch>,
    bytes: usize,
    /// Rows that were given out.
    given: u64,
}

/// Cuts `input` into chunks of `enough` bytes, or a little more. Rows whose `keys` are equal stand together.
pub(super) fn of(
    input: SendableRecordBatchStream,
    enough: usize,
    keys: Vec<usize>,
) -> impl Stream<Item = Result<Chunk>> + Send {
    let cutter = Cutter { enough, keys, batches: Vec::new(), bytes: 0, given: 0 };
    stream::try_unfold((input.fuse(), cutter), async |(mut input, mut cutter)| {
        while let Some(batch) = input.next().await.transpose()? {
            if let Some(chunk) = cutter.add(batch)? {
                return Ok(Some((chunk, (input, cutter))));
            }
        }
        Ok(cutter.take().map(|chunk| (chunk, (input, cutter))))
    })
}

impl Cutter {
    /// Answers a chunk as soon as there are enough rows.
    fn add(&mut self, batch: RecordBatch) -> Result<Option<Chunk>> {
        if self.keys.is_empty() {
            self.keep(batch);
            return Ok(if self.is_enough() { self.take() } else { None });
        }
        if !self.is_enough() {
            self.keep(batch);
            return Ok(None);
        }
        let Some(at) = self.first_of_another_group(&batch)? else {
            self.keep(batch);
            return Ok(None);
        };
        self.keep(batch.slice(0, at));
        let chunk = self.take();
        self.keep(batch.slice(at, batch.num_rows() - at));
        Ok(chunk)
    }

    fn is_enough(&self) -> bool {
        !self.batches.is_empty() && self.bytes >= self.enough
    }

    fn keep(&mut self, batch: RecordBatch) {
        if batch.num_rows() > 0 {
            self.bytes += rows::bytes(&batch);
            self.batches.push(batch);
        }
    }

    /// All rows so far, if there are any.
    fn take(&mut self) -> Option<Chunk> {
        let batches = std::mem::take(&mut self.batches);
        let first_row = self.given;
        self.given += batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>();
        self.bytes = 0;
        (!batches.is_empty()).then_some(Chunk { first_row, batches })
    }

    /// The first row of `batch` that does not belong to the group of the last row so far.
    fn first_of_another_group(&self, batch: &RecordBatch) -> Result<Option<usize>> {
        let Some(last) = self.batches.last() else { return Ok(Some(0)) };
        let last = self.keys_of(&last.slice(last.num_rows() - 1, 1));
        let new = self.keys_of(batch);
        let fields = new.iter().map(|key| SortField::new(key.data_type().clone())).collect();
        let converter = RowConverter::new(fields)?;
        let (last, new) = (converter.convert_columns(&last)?, converter.convert_columns(&new)?);
        Ok(new.iter().position(|row| row != last.row(0)))
    }

    fn keys_of(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        self.keys.iter().map(|key| batch.column(*key).clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{AsArray as _, Int64Array};
    use datafusion::arrow::datatypes::Int64Type;
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    use futures_util::TryStreamExt as _;
    use proptest::prelude::*;

    use super::*;

    fn batch(keys: &[i64]) -> RecordBatch {
        let keys: ArrayRef = Arc::new(Int64Array::from(keys.to_vec()));
        RecordBatch::try_from_iter([("k", keys)]).unwrap()
    }

    async fn chunks(batches: &[Vec<i64>], enough: usize, keys: &[usize]) -> Vec<(u64, Vec<i64>)> {
        let rows = batches.iter().map(|keys| Ok(batch(keys))).collect::<Vec<_>>();
        let input = RecordBatchStreamAdapter::new(batch(&[]).schema(), stream::iter(rows));
        let chunks: Vec<Chunk> = of(Box::pin(input), enough, keys.to_vec()).try_collect().await.unwrap();
        let values = |chunk: &Chunk| {
            let each = chunk.batches.iter();
            each.flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
        };
        chunks.iter().map(|chunk| (chunk.first_row, values(chunk))).collect()
    }

    #[tokio::test]
    async fn a_chunk_ends_when_there_are_enough_bytes() {
        let rows = [vec![1, 2], vec![], vec![3], vec![4, 5, 6], vec![7]];
        let chunks = chunks(&rows, 24, &[]).await;
        assert_eq!(chunks, [(0, vec![1, 2, 3]), (3, vec![4, 5, 6]), (6, vec![7])]);
    }

    #[tokio::test]
    async fn of_nothing_there_is_no_chunk() {
        assert_eq!(chunks(&[vec![], vec![]], 8, &[]).await, []);
        assert_eq!(chunks(&[], 8, &[0]).await, []);
    }

    proptest! {
        #[test]
        fn groups_stay_whole_and_rows_in_order(
            groups in prop::collection::vec((0_i64..5, 1_usize..6), 0..30),
            lengths in prop::collection::vec(0_usize..7, 1..60),
            enough in 1_usize..100,
        ) {
            let rows: Vec<i64> = groups
                .iter()
                .enumerate()
                .flat_map(|(group, (_, count))| std::iter::repeat_n(group as i64, *count))
                .collect();
            let mut left = rows.as_slice();
            let mut batches = Vec::new();
            for length in lengths {
                let (batch, rest) = left.split_at(length.min(left.len()));
                batches.push(batch.to_vec());
                left = rest;
            }
            batches.push(left.to_vec());
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let chunks = runtime.block_on(chunks(&batches, enough, &[0]));
            let mut row = 0;
            for (first, keys) in &chunks {
                prop_assert_eq!(*first, row);
                row += keys.len() as u64;
            }
            for pair in chunks.windows(2) {
                prop_assert_ne!(pair[0].1.last(), pair[1].1.first());
            }
            prop_assert_eq!(chunks.into_iter().flat_map(|(_, keys)| keys).collect::<Vec<_>>(), rows);
        }
    }
}
