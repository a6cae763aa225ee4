//! Lists of tasks: those that wait or run, oldest first, then those that have ended, newest first.

use std::fmt;
use std::str::FromStr;

use cardoon_connect::Stores;
use cardoon_core::{Position, TaskFilter};
use cardoon_errors::Result;

use crate::view::TaskLine;

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// Among those that have not ended.
    Waiting(Option<Position>),
    /// Among those that have.
    Ended(Option<Position>),
}

/// A part of a list. It may have few items although there are more: a store looks at a bounded number of tasks.
#[derive(Debug, Clone)]
pub struct Lines {
    pub items: Vec<TaskLine>,
    /// Where the list goes on; `None` at its end.
    pub next: Option<Cursor>,
}

/// The tasks that `filter` admits, from `after` on, at most `limit`.
pub async fn page(stores: &Stores, filter: &TaskFilter, after: &Cursor, limit: usize) -> Result<Lines> {
    let (mut items, after) = match after {
        Cursor::Ended(after) => (Vec::new(), after.as_ref()),
        Cursor::Waiting(after) => {
            let Lines { items, next } = waiting(stores, filter, after.as_ref(), limit).await?;
            if next.is_some() || items.len() >= limit {
                return Ok(Lines { items, next: next.or(Some(Cursor::Ended(None))) });
            }
            (items, None)
        }
    };
    let ended = ended(stores, filter, after, limit - items.len()).await?;
    items.extend(ended.items);
    Ok(Lines { items, next: ended.next })
}

async fn waiting(
    stores: &Stores,
    filter: &TaskFilter,
    after: Option<&Position>,
    limit: usize,
) -> Result<Lines> {
    if filter.state.is_some_and(cardoon_core::TaskState::is_final) {
        return Ok(Lines { items: Vec::new(), next: None });
    }
    let page = stores.broker.inspect().waiting(filter, after, limit).await?;
    let items = page.items.into_iter().map(TaskLine::of_message).collect();
    Ok(Lines { items, next: page.next.map(|next| Cursor::Waiting(Some(next))) })
}

/// Those whose latest run is to be followed by another one are among the waiting.
async fn ended(
    stores: &Stores,
    filter: &TaskFilter,
    after: Option<&Position>,
    limit: usize,
) -> Result<Lines> {
    if filter.state.is_some_and(|state| !state.is_final()) {
        return Ok(Lines { items: Vec::new(), next: None });
    }
    let page = stores.results.list(filter, after, limit).await?;
    let records = page.items.into_iter().filter(|record| record.state.is_final());
    let next = page.next.map(|next| Cursor::Ended(Some(next)));
    Ok(Lines { items: records.map(TaskLine::of_record).collect(), next })
}

impl Default for Cursor {
    /// The beginning.
    fn default() -> Self {
        Self::Waiting(None)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (part, position) = match self {
            Self::Waiting(position) => ('w', position),
            Self::Ended(position) => ('e', position),
        };
        write!(f, "{part}")?;
        position.as_ref().map_or(Ok(()), |position| write!(f, "{position}"))
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a list goes on from the `next` of its last page";
        let position = |text: &str| match text {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| WRONG),
        };
        match (text.strip_prefix('w'), text.strip_prefix('e')) {
            (Some(rest), _) => position(rest).map(Self::Waiting),
            (_, Some(rest)) => position(rest).map(Self::Ended),
            _ => Err(WRONG),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_as_it_was_written() {
        let somewhere = Some(Position { number: -3, id: "a.b".into() });
        for cursor in [Cursor::default(), Cursor::Waiting(somewhere.clone()), Cursor::Ended(somewhere)] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for wrong in ["", "x1", "e1x", "w.a"] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
    }
}
