//! Memory for sorts that are short of it, so that each can always merge what it holds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// What a sort holds of its own accord: one of so many parts of its share. The others are for merging. A sort counts rows
/// twice while it collects them. To merge them it needs them once, and their keys in the row format, which are up to three
/// times as much as the rows if those are a few numbers; and it gathers what is merged before it writes it.
const PARTS: usize = 3;

/// The pool of the engine, in which every sort of one query has a share.
///
/// The engine's own pool lets the rows of all sorts fill it, also while one of them merges, which then finds no room. What
/// sorts keep free (`sort_spill_reservation_bytes`) does not help: they give it up before they merge, and whoever is first
/// takes it.
#[derive(Debug)]
pub(crate) struct Shares {
    pool: Arc<dyn MemoryPool>,
    /// Sorts, and others that can write their rows into files.
    holders: AtomicUsize,
}

/// What a consumer is to a sort. DataFusion says it by names only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Rows that are collected, or gathered to be written.
    Rows,
    /// The merge of rows in memory, and later that of files. Every sort has it from its begin to its end.
    Merge,
    Other,
}

impl Shares {
    pub(crate) fn new(pool: Arc<dyn MemoryPool>) -> Self {
        Self { pool, holders: AtomicUsize::new(0) }
    }

    /// What one reservation may have in all, in bytes.
    fn most(&self, reservation: &MemoryReservation) -> usize {
        let MemoryLimit::Finite(all) = self.pool.memory_limit() else { return usize::MAX };
        let share = all / self.holders.load(Ordering::Relaxed).max(1);
        match Role::of(reservation.consumer()) {
            // A single batch needs no merge, so it may be as large as the share.
            Role::Rows if reservation.size() > 0 => share / PARTS,
            Role::Rows | Role::Merge => share,
            Role::Other => usize::MAX,
        }
    }
}

impl MemoryPool for Shares {
    fn name(&self) -> &'static str {
        "shares"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.holders.fetch_add(usize::from(is_holder(consumer)), Ordering::Relaxed);
        self.pool.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.holders.fetch_sub(usize::from(is_holder(consumer)), Ordering::Relaxed);
        self.pool.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.pool.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.pool.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let most = self.most(reservation);
        if reservation.size().saturating_add(additional) > most {
            let name = reservation.consumer().name();
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{name} has {} bytes and needs {additional} more, of {most} that it may have",
                reservation.size()
            )));
        }
        self.pool.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.pool.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.pool.memory_limit()
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "shares of {}", self.pool)
    }
}

impl Role {
    fn of(consumer: &MemoryConsumer) -> Self {
        match consumer.name().split('[').next() {
            Some("ExternalSorter") => Self::Rows,
            Some("ExternalSorterMerge") => Self::Merge,
            _ => Self::Other,
        }
    }
}

fn is_holder(consumer: &MemoryConsumer) -> bool {
    match Role::of(consumer) {
        Role::Rows => false,
        Role::Merge => true,
        Role::Other => consumer.can_spill(),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::FairSpillPool;

    use super::*;

    #[test]
    fn a_sort_fills_a_third_of_its_share_and_merges_in_all_of_it() {
        let pool: Arc<dyn MemoryPool> = Arc::new(Shares::new(Arc::new(FairSpillPool::new(1200))));
        let sort = |number: u32| {
            let rows = MemoryConsumer::new(format!("ExternalSorter[{number}]")).with_can_spill(true);
            let merge = MemoryConsumer::new(format!("ExternalSorterMerge[{number}]"));
            (rows.register(&pool), merge.register(&pool))
        };
        let ((first, merge), (second, _other)) = (sort(0), sort(1));
        for rows in [&first, &second] {
            rows.try_grow(150).unwrap();
            assert!(rows.try_grow(51).is_err(), "a third of 600");
            rows.try_grow(50).unwrap();
        }
        merge.try_grow(600).unwrap();
        assert!(merge.try_grow(1).is_err());
        drop((merge, first));
        second.try_grow(200).unwrap();
    }

    #[test]
    fn a_single_batch_may_take_the_whole_share() {
        let pool: Arc<dyn MemoryPool> = Arc::new(Shares::new(Arc::new(FairSpillPool::new(600))));
        let rows = MemoryConsumer::new("ExternalSorter[0]").with_can_spill(true).register(&pool);
        let _merge = MemoryConsumer::new("ExternalSorterMerge[0]").register(&pool);
        rows.try_grow(600).unwrap();
        assert!(rows.try_grow(1).is_err());
    }
}
