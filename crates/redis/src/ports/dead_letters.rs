use async_trait::async_trait;
use bytes::Bytes;
use cardoon_broker::{DeadFilter, DeadLetter, DeadLetters};
use cardoon_core::{DeadReason, QueueName, TaskId};
use cardoon_errors::Result;

use crate::envelope::Marks;
use crate::keys;
use crate::link::{bytes, int, items, text};
use crate::operations::change::{Applied, Change};
use crate::operations::graves::{self, Stone};
use crate::operations::messages::{self, Stored};
use crate::operations::runs::{TRIES, reopened, too_busy};
use crate::operations::{known, search};
use crate::store::RedisStore;

/// Letters that are read in one step.
const PAGE: usize = 256;

#[async_trait]
impl DeadLetters for RedisStore {
    async fn list(&self, filter: &DeadFilter, limit: usize) -> Result<Vec<DeadLetter>> {
        self.shared.check()?;
        let mut letters = Vec::new();
        let mut members = self.members_of(filter).await?;
        while !members.is_empty() && letters.len() < limit {
            let page: Vec<String> = members.drain(..members.len().min(PAGE)).collect();
            let found = self.buried(page).await?;
            let found = found.into_iter().map(|buried| graves::letter(buried.stone, buried.stored));
            letters.extend(found.filter(|letter| filter.admits(letter)));
        }
        letters.truncate(limit);
        Ok(letters)
    }

    async fn show(&self, id: &TaskId) -> Result<Option<DeadLetter>> {
        let filter = DeadFilter { ids: vec![id.clone()], ..DeadFilter::default() };
        Ok(self.list(&filter, 1).await?.pop())
    }

    async fn count(&self, filter: &DeadFilter) -> Result<Vec<(DeadReason, u64)>> {
        self.shared.check()?;
        if filter.ids.is_empty()
            && filter.queue.is_none()
            && let Some(counts) = self.counts_by_reason(filter.reason).await?
        {
            return Ok(counts);
        }
        let letters = self.list(filter, usize::MAX).await?;
        let of = |reason| (reason, letters.iter().filter(|letter| letter.reason == reason).count() as u64);
        Ok(DeadReason::ALL.into_iter().map(of).filter(|(_, letters)| *letters > 0).collect())
    }

    async fn redrive(&self, filter: &DeadFilter) -> Result<u64> {
        self.shared.check()?;
        let mut count = 0;
        for page in self.members_of(filter).await?.chunks(PAGE) {
            for buried in self.buried(page.to_vec()).await? {
                if buried.is_admitted(filter) {
                    count += u64::from(self.send_again(&buried, again(&buried.stored)).await?);
                }
            }
        }
        Ok(count)
    }

    async fn purge(&self, filter: &DeadFilter) -> Result<u64> {
        self.shared.check()?;
        let mut count = 0;
        for page in self.members_of(filter).await?.chunks(PAGE) {
            let buried = self.buried(page.to_vec()).await?;
            let admitted = buried.iter().filter(|buried| buried.is_admitted(filter));
            let remove = |buried: &Buried| graves::remove(Change::new(), &buried.stone, &buried.member);
            let changes: Vec<Change> = admitted.map(remove).collect();
            for applied in self.shared.apply(&self.shared.main, &changes).await {
                count += u64::from(applied? == Applied::Yes);
            }
        }
        Ok(count)
    }

    async fn bury(&self, letters: Vec<DeadLetter>) -> Result<u64> {
        self.shared.check()?;
        let queues: Vec<&QueueName> = letters.iter().map(|letter| &letter.queue).collect();
        self.shared.introduce(queues).await;
        let changes: Vec<Change> =
            letters.iter().map(|letter| moved(letter, &self.shared.reply_to)).collect();
        let mut count = 0;
        for applied in self.shared.apply(&self.shared.main, &changes).await {
            count += u64::from(applied? == Applied::Yes);
        }
        Ok(count)
    }
}

/// A letter that comes from another store. Its name says which it is, so that it is stored once.
fn moved(letter: &DeadLetter, reply_to: &str) -> Change {
    let raw = messages::write(&letter.queue, &letter.message, reply_to, false);
    let stored = Stored::read(&raw);
    let attempt = (stored.message.attempt != letter.message.attempt).then_some(letter.message.attempt);
    let stone = Stone {
        queue: letter.queue.clone(),
        list: messages::list(&letter.queue, &letter.message),
        reason: letter.reason,
        detail: letter.detail.clone(),
        deaths: letter.deaths,
        died_at: letter.died_at,
        attempt,
    };
    let member = format!("{}:{}", letter.died_at.0, letter.message.id);
    graves::bury_as(Change::new().if_no_member(keys::DEAD, member.clone()), &stone, &stored, member)
}

/// A dead letter with its name in the store.
struct Buried {
    member: String,
    stone: Stone,
    stored: Stored,
}

impl Buried {
    fn is_admitted(&self, filter: &DeadFilter) -> bool {
        filter.admits(&graves::letter(self.stone.clone(), self.stored.clone()))
    }
}

impl RedisStore {
    /// How many letters each reason has, without reading them. `None` if there are some from before they were counted.
    async fn counts_by_reason(&self, only: Option<DeadReason>) -> Result<Option<Vec<(DeadReason, u64)>>> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("ZCARD").arg(keys::DEAD);
        for reason in DeadReason::ALL {
            pipeline.cmd("ZCARD").arg(keys::dead_for(reason));
        }
        let counts = self.shared.main.ask_each(&pipeline).await?;
        let counts = counts.iter().map(|count| int(count, "ZCARD")).collect::<Result<Vec<i64>>>()?;
        let (all, counts) = counts.split_at(1);
        if all.iter().sum::<i64>() != counts.iter().sum::<i64>() {
            return Ok(None);
        }
        let counted = DeadReason::ALL.into_iter().zip(counts.iter().map(|count| *count as u64));
        let is_asked = |reason: DeadReason| only.is_none_or(|only| only == reason);
        Ok(Some(counted.filter(|(reason, count)| *count > 0 && is_asked(*reason)).collect()))
    }

    /// Sends all letters to their lists as their senders wrote them. Answers the queue of each.
    pub(crate) async fn return_letters(&self) -> Result<Vec<QueueName>> {
        let mut returned = Vec::new();
        for page in self.members_of(&DeadFilter::default()).await?.chunks(PAGE) {
            for buried in self.buried(page.to_vec()).await? {
                if self.send_again(&buried, buried.stored.original.clone()).await? {
                    returned.push(buried.stone.queue);
                }
            }
        }
        Ok(returned)
    }

    /// The names of the letters that may be meant, newest first.
    async fn members_of(&self, filter: &DeadFilter) -> Result<Vec<String>> {
        let lane = &self.shared.main;
        if !filter.ids.is_empty() {
            let mut members = Vec::new();
            for id in &filter.ids {
                let pattern = format!("*:{}", keys::literally(id.as_str()));
                members.extend(search::members(lane, keys::DEAD, &pattern).await?);
            }
            members.sort_unstable_by(|one, other| other.cmp(one));
            return Ok(members);
        }
        let key = filter.queue.as_ref().map_or_else(|| keys::DEAD.to_owned(), keys::dead_of);
        let mut command = redis::cmd("ZREVRANGE");
        command.arg(key).arg(0).arg(-1);
        let members = items(lane.ask(&command).await?, "ZREVRANGE")?;
        Ok(members.into_iter().filter_map(|member| text(member, "ZREVRANGE").ok()).collect())
    }

    async fn buried(&self, members: Vec<String>) -> Result<Vec<Buried>> {
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("HMGET");
        command.arg(keys::DEAD_LETTERS).arg(&members);
        let values = items(self.shared.main.ask(&command).await?, "HMGET")?;
        let read = |(member, value): (String, redis::Value)| {
            let (stone, stored) = graves::read(&bytes(value)?)?;
            Some(Buried { member, stone, stored })
        };
        Ok(members.into_iter().zip(values).filter_map(read).collect())
    }

    /// Puts the message at the back of its list as `raw`, and lets its task run again. Answers whether it was still there.
    async fn send_again(&self, buried: &Buried, raw: Bytes) -> Result<bool> {
        let id = &buried.stored.message.id;
        for _ in 0..TRIES {
            let known = known::look(&self.shared.main, [id]).await?.pop().unwrap_or_default();
            let change = known.unchanged(id);
            let checks = change.checks();
            let change = reopened(&self.shared, change, id, &known)
                .then("ZREM", keys::REVOKED, [Bytes::copy_from_slice(id.as_str().as_bytes())])
                .then("LPUSH", buried.stone.list.clone(), [raw.clone()]);
            let change = graves::remove(change, &buried.stone, &buried.member);
            match self.shared.apply_one(&self.shared.main, change).await? {
                Applied::Yes => return Ok(true),
                Applied::Refused(check) if check >= checks => return Ok(false),
                Applied::Refused(_) => {}
            }
        }
        Err(too_busy())
    }
}

/// As attempt 0, and such that its run registers.
fn again(stored: &Stored) -> Bytes {
    let attempt = cardoon_protocol::kombu::read(&stored.original).attempt;
    stored.with(Marks { resent: true, attempt: (attempt > 0).then_some(0), ..Marks::default() })
}
