//! Results in memory that refuse what a test wants them to refuse.

use std::sync::Arc;

use async_trait::async_trait;
use cardoon_core::ResultRecord;
use cardoon_errors::{Error, Result};
use cardoon_results::altered::{Alter, Altered};
use cardoon_results::memory::MemoryResults;
use cardoon_results::{ResultBackend, Stored};

type Refuse = Box<dyn Fn(&ResultRecord) -> Option<Error> + Send + Sync>;

pub(crate) struct Refusing(Refuse);

impl Refusing {
    /// `refuse` says why a record is not stored.
    pub(crate) fn results(
        inner: &Arc<MemoryResults>,
        refuse: impl Fn(&ResultRecord) -> Option<Error> + Send + Sync + 'static,
    ) -> Arc<Altered<Self>> {
        Altered::new(inner.clone(), Self(Box::new(refuse)))
    }
}

#[async_trait]
impl Alter for Refusing {
    async fn store(&self, inner: &dyn ResultBackend, records: Vec<ResultRecord>) -> Vec<Result<Stored>> {
        let mut answers = Vec::new();
        for record in records {
            answers.push(match (self.0)(&record) {
                Some(error) => Err(error),
                None => inner.store(vec![record]).await.remove(0),
            });
        }
        answers
    }
}
