use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::blocks::{Block, Blocks};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::head;
use crate::header::{Header, check_same, names_of};
use crate::marks::Marks;
use crate::part::Part;
use crate::source::Source;

/// A file of a scan, or a part of one. Its lock is held to read and to cut a block, and not to parse it.
pub(crate) struct File {
    source: Arc<dyn Source>,
    part: Option<Part>,
    state: Mutex<State>,
    has_ended: AtomicBool,
}

enum State {
    Unopened,
    Open(Blocks),
    Ended,
}

impl File {
    pub(crate) fn new(source: Arc<dyn Source>, part: Option<Part>) -> Self {
        Self { source, part, state: Mutex::new(State::Unopened), has_ended: AtomicBool::new(false) }
    }

    pub(crate) fn name(&self) -> &str {
        self.source.name()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    /// Puts the next rows into `block`, or returns false if there are none. After an error there are none.
    pub(crate) fn next(
        &self,
        header: &Header,
        dialect: &Dialect,
        block_bytes: usize,
        block: &mut Block,
    ) -> Result<bool> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match &mut *state {
            State::Ended => return Ok(false),
            State::Open(blocks) => blocks.next(block),
            State::Unopened => self.begin(header, dialect, block_bytes, block).map(|blocks| {
                *state = State::Open(blocks);
                true
            }),
        };
        if !matches!(next, Ok(true)) {
            *state = State::Ended;
            self.has_ended.store(true, Ordering::Relaxed);
        }
        next
    }

    /// Opens the file and reads its first block. If it has a header, the columns must be those that are expected.
    fn begin(
        &self,
        header: &Header,
        dialect: &Dialect,
        block_bytes: usize,
        block: &mut Block,
    ) -> Result<Blocks> {
        let mut blocks = Blocks::open(&self.source, self.part, Marks::new(dialect), block_bytes)?;
        if self.part.is_some_and(|part| part.start > 0) {
            blocks.next(block)?;
            return Ok(blocks);
        }
        let names = head::skip(&mut blocks, block, self.name(), dialect)?;
        let found = names.iter().map(String::as_str);
        if dialect.header {
            check_same(self.name(), found, "the expected columns", names_of(header))?;
        }
        Ok(blocks)
    }
}
