use async_trait::async_trait;
use cardoon_broker::{Handback, HandbackReport, HandbackWish, HandedBack};
use cardoon_errors::Result;

use crate::keys;
use crate::link::int;
use crate::operations::handback::{Tally, return_delayed, return_held};
use crate::operations::living::{self, Watched};
use crate::operations::{queues, sessions};
use crate::store::RedisStore;

#[async_trait]
impl Handback for RedisStore {
    async fn hand_back(&self, wish: HandbackWish) -> Result<HandbackReport> {
        self.shared.check()?;
        let watched = living::watch(&self.shared).await?;
        let alive = self.as_members(watched.alive.clone()).await?;
        let mut tally = Tally::default();
        if wish.dry_run {
            self.count_what_returns(wish, &watched, &mut tally).await?;
        } else if alive.is_empty() {
            self.return_all(wish, &watched, &mut tally).await?;
        }
        let is_some = |count: &HandedBack| count.delayed + count.held + count.dead + count.ended > 0;
        let queues = tally.finish().into_iter().filter(is_some).collect();
        Ok(HandbackReport { queues, alive })
    }
}

impl RedisStore {
    /// What was held goes last: it is the oldest, and so stands at the heads of the lists.
    async fn return_all(&self, wish: HandbackWish, watched: &Watched, tally: &mut Tally) -> Result<()> {
        if wish.dead {
            for queue in self.return_letters().await? {
                tally.of(&queue).dead += 1;
            }
        }
        return_delayed(&self.shared, tally).await?;
        for dead in watched.dead.iter().rev() {
            return_held(&self.shared, dead, tally).await?;
        }
        Ok(())
    }

    async fn count_what_returns(
        &self,
        wish: HandbackWish,
        watched: &Watched,
        tally: &mut Tally,
    ) -> Result<()> {
        let queues = queues::queues(&self.shared).await?;
        let mut pipeline = redis::pipe();
        for queue in &queues {
            pipeline.cmd("ZCARD").arg(keys::delayed_of(queue));
            pipeline.cmd("ZCARD").arg(keys::dead_of(queue));
        }
        let counts = self.shared.main.ask_each(&pipeline).await?;
        for (queue, counts) in queues.iter().zip(counts.chunks_exact(2)) {
            let it = tally.of(queue);
            it.delayed = int(&counts[0], "ZCARD")? as u64;
            it.dead = if wish.dead { int(&counts[1], "ZCARD")? as u64 } else { 0 };
        }
        for dead in &watched.dead {
            let hold = sessions::hold(&self.shared.main, dead.facts.number, &dead.facts.queues).await?;
            for holding in hold.holdings {
                tally.of(&holding.queue).held += 1;
            }
        }
        Ok(())
    }
}
