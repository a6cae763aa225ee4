use async_trait::async_trait;
use cardoon_core::TaskId;
use cardoon_errors::Result;

use super::MemoryBroker;
use super::store::Store;
use crate::{DeadFilter, DeadLetter, DeadLetters};

#[async_trait]
impl DeadLetters for MemoryBroker {
    async fn list(&self, filter: &DeadFilter, limit: usize) -> Result<Vec<DeadLetter>> {
        let store = self.store()?;
        let mut found: Vec<_> = store.dead.iter().filter(|(_, letter)| filter.admits(letter)).collect();
        found.sort_by_key(|(tag, letter)| std::cmp::Reverse((letter.died_at, **tag)));
        Ok(found.into_iter().take(limit).map(|(_, letter)| letter.clone()).collect())
    }

    async fn show(&self, id: &TaskId) -> Result<Option<DeadLetter>> {
        Ok(self.store()?.dead.values().rev().find(|letter| letter.message.id == *id).cloned())
    }

    async fn redrive(&self, filter: &DeadFilter) -> Result<u64> {
        let sent = {
            let now = self.now();
            let mut store = self.store()?;
            store.matching(filter).into_iter().filter(|tag| store.redrive(*tag, now)).count()
        };
        self.wake();
        Ok(sent as u64)
    }

    async fn purge(&self, filter: &DeadFilter) -> Result<u64> {
        let mut store = self.store()?;
        let gone = store.matching(filter);
        for tag in &gone {
            store.dead.remove(tag);
        }
        Ok(gone.len() as u64)
    }

    async fn bury(&self, letters: Vec<DeadLetter>) -> Result<u64> {
        let mut store = self.store()?;
        Ok(letters.into_iter().filter(|letter| store.bury_moved(letter.clone())).count() as u64)
    }
}

impl Store {
    fn matching(&self, filter: &DeadFilter) -> Vec<u64> {
        self.dead.iter().filter(|(_, letter)| filter.admits(letter)).map(|(tag, _)| *tag).collect()
    }
}
