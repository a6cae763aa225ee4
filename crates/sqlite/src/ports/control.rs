use async_trait::async_trait;
use cardoon_broker::{Control, Order};
use cardoon_core::QueueName;
use cardoon_errors::Result;

use crate::store::SqliteStore;
use crate::tables::{orders, paused, queues, sessions};

#[async_trait]
impl Control for SqliteStore {
    async fn pause(&self, queue: &QueueName) -> Result<bool> {
        let queue = queue.clone();
        self.write(move |step| {
            let number = queues::number(step, &queue)?;
            paused::insert(step, number)
        })
        .await
    }

    async fn resume(&self, queue: &QueueName) -> Result<bool> {
        let queue = queue.clone();
        self.write(move |step| match queues::known_number(step.db, &queue)? {
            Some(number) => paused::delete(step, number),
            None => Ok(false),
        })
        .await
    }

    async fn order(&self, session: u64, order: Order) -> Result<bool> {
        self.write(move |step| {
            let is_there = sessions::contains(step, session)?;
            if is_there {
                orders::insert(step, session as i64, order)?;
            }
            Ok(is_there)
        })
        .await
    }
}
