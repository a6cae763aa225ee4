use async_trait::async_trait;
use cardoon_broker::{Control, Order};
use cardoon_core::QueueName;
use cardoon_errors::Result;

use crate::keys;
use crate::link::int;
use crate::operations::change::{Applied, Change};
use crate::store::RedisStore;

#[async_trait]
impl Control for RedisStore {
    async fn pause(&self, queue: &QueueName) -> Result<bool> {
        self.change_paused("SADD", queue).await
    }

    async fn resume(&self, queue: &QueueName) -> Result<bool> {
        self.change_paused("SREM", queue).await
    }

    async fn order(&self, session: u64, order: Order) -> Result<bool> {
        self.shared.check()?;
        let session = keys::session(session);
        let words = ["order".into(), order.as_str().into()];
        let change = Change::new().if_field(&session, "epoch").then("HSET", &session, words);
        Ok(self.shared.apply_one(&self.shared.main, change).await? == Applied::Yes)
    }
}

impl RedisStore {
    async fn change_paused(&self, command: &str, queue: &QueueName) -> Result<bool> {
        self.shared.check()?;
        keys::check(queue)?;
        let mut change = redis::cmd(command);
        change.arg(keys::PAUSED).arg(keys::lists(std::slice::from_ref(queue)));
        Ok(int(&self.shared.main.ask(&change).await?, command)? > 0)
    }
}
