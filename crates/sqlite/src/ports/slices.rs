//! Batches, cut into operations that leave room for others.

use std::collections::VecDeque;
use std::sync::Arc;

use cardoon_errors::{Applied, Code, Error, Result};

use crate::tables::Step;
use crate::writer::{Pending, SLICE, SLICES_UNDER_WAY, Writer};

/// What is done with one item.
type Change<I, T> = fn(&mut Step<'_>, &I) -> rusqlite::Result<T>;

/// Applies `change` to each of `items`, in slices; answers each, in order.
pub(crate) async fn each<I, T>(writer: &Writer, items: Vec<I>, change: Change<I, T>) -> Vec<Result<T>>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
{
    let all = Vec::with_capacity(items.len());
    let mut answers = Answers { writer, change, all, under_way: VecDeque::new() };
    let mut items = items.into_iter();
    loop {
        let slice: Arc<[I]> = items.by_ref().take(SLICE).collect();
        if slice.is_empty() {
            return answers.finish().await;
        }
        answers.submit(slice);
        if answers.under_way.len() >= SLICES_UNDER_WAY {
            answers.take_one().await;
        }
    }
}

/// Items that are applied together, and their answers.
type Slice<I, T> = (Arc<[I]>, Pending<Vec<T>>);

struct Answers<'w, I, T> {
    writer: &'w Writer,
    change: Change<I, T>,
    all: Vec<Result<T>>,
    under_way: VecDeque<Slice<I, T>>,
}

impl<I: Send + Sync + 'static, T: Send + 'static> Answers<'_, I, T> {
    fn submit(&mut self, slice: Arc<[I]>) {
        let (items, change) = (Arc::clone(&slice), self.change);
        let apply = move |step: &mut Step<'_>| items.iter().map(|item| change(step, item)).collect();
        let pending = self.writer.submit(slice.len(), apply);
        self.under_way.push_back((slice, pending));
    }

    async fn take_one(&mut self) {
        let Some((slice, pending)) = self.under_way.pop_front() else { return };
        match pending.done().await {
            Ok(answers) => self.all.extend(answers.into_iter().map(Ok)),
            Err(error) if slice.len() > 1 && may_be_of_one(&error) => self.apply_one_by_one(&slice).await,
            Err(error) => self.all.extend(refused(slice.len(), &error)),
        }
    }

    /// The others of a slice must not suffer from the one that cannot be stored.
    async fn apply_one_by_one(&mut self, slice: &Arc<[I]>) {
        for place in 0..slice.len() {
            let (items, change) = (Arc::clone(slice), self.change);
            self.all.push(self.writer.run(1, move |step| change(step, &items[place])).await);
        }
    }

    async fn finish(mut self) -> Vec<Result<T>> {
        while !self.under_way.is_empty() {
            self.take_one().await;
        }
        self.all
    }
}

/// Whether a single item of a slice may have caused an error by which nothing was applied.
fn may_be_of_one(error: &Error) -> bool {
    error.was_applied() == Applied::No
        && matches!(error.code(), Code::DiskFull | Code::TooLarge | Code::Internal)
}

/// The same error for each of `count` items.
pub(crate) fn refused<T>(count: usize, error: &Error) -> Vec<Result<T>> {
    (0..count).map(|_| Err(error.clone())).collect()
}
