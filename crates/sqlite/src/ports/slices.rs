//! Batches, cut into operations that leave room for others.

use std::collections::VecDeque;

use cardoon_errors::Result;

use crate::tables::Step;
use crate::writer::{Pending, SLICE, SLICES_UNDER_WAY, Writer};

/// Applies `change` to each of `items`, in slices; answers each, in order.
pub(crate) async fn each<I, T>(
    writer: &Writer,
    items: Vec<I>,
    change: fn(&mut Step<'_>, &I) -> rusqlite::Result<T>,
) -> Vec<Result<T>>
where
    I: Send + 'static,
    T: Send + 'static,
{
    let mut answers = Answers { all: Vec::with_capacity(items.len()), under_way: VecDeque::new() };
    let mut items = items.into_iter();
    loop {
        let slice: Vec<I> = items.by_ref().take(SLICE).collect();
        if slice.is_empty() {
            return answers.finish().await;
        }
        let size = slice.len();
        let apply = move |step: &mut Step<'_>| slice.iter().map(|item| change(step, item)).collect();
        answers.under_way.push_back((size, writer.submit(size, apply)));
        if answers.under_way.len() >= SLICES_UNDER_WAY {
            answers.take_one().await;
        }
    }
}

struct Answers<T> {
    all: Vec<Result<T>>,
    under_way: VecDeque<(usize, Pending<Vec<T>>)>,
}

impl<T> Answers<T> {
    async fn take_one(&mut self) {
        let Some((size, pending)) = self.under_way.pop_front() else { return };
        match pending.done().await {
            Ok(answers) => self.all.extend(answers.into_iter().map(Ok)),
            Err(error) => self.all.extend((0..size).map(|_| Err(error.clone()))),
        }
    }

    async fn finish(mut self) -> Vec<Result<T>> {
        while !self.under_way.is_empty() {
            self.take_one().await;
        }
        self.all
    }
}

/// The same error for each of `count` items.
pub(crate) fn refused<T>(count: usize, error: &cardoon_errors::Error) -> Vec<Result<T>> {
    (0..count).map(|_| Err(error.clone())).collect()
}
