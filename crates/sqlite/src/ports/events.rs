use std::sync::Arc;

use async_trait::async_trait;
use cardoon_broker::EventStream;
use cardoon_core::Event;
use cardoon_errors::Result;
use tokio::sync::watch;

use crate::live::Bell;
use crate::store::Handle;
use crate::tables::events;

/// Batches that are read at a time.
const PAGE: usize = 64;

/// Events since it was opened.
pub(crate) struct SqliteEvents {
    handle: Arc<Handle>,
    rings: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    /// The number of the last batch that was read.
    read: i64,
}

impl SqliteEvents {
    pub(crate) async fn open(handle: Arc<Handle>) -> Result<Self> {
        handle.database.open_stream()?;
        let mut stream = Self {
            rings: handle.database.local.rings(Bell::EVENT),
            closing: handle.closing(),
            read: 0,
            handle,
        };
        stream.read = stream.handle.database.readers.run(events::newest).await?;
        Ok(stream)
    }
}

#[async_trait]
impl EventStream for SqliteEvents {
    async fn next(&mut self) -> Result<Vec<Event>> {
        loop {
            self.rings.mark_unchanged();
            if *self.closing.borrow() {
                return Ok(Vec::new());
            }
            let read = self.read;
            let batches = self.handle.database.readers.run(move |db| events::after(db, read, PAGE)).await?;
            if let Some((last, _)) = batches.last() {
                self.read = *last;
                return Ok(batches.into_iter().flat_map(|(_, events)| events).collect());
            }
            tokio::select! {
                _ = self.rings.changed() => {}
                _ = self.closing.changed() => {}
            }
        }
    }
}

impl Drop for SqliteEvents {
    fn drop(&mut self) {
        self.handle.database.close_stream();
    }
}
