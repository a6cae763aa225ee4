//! Taking delayed messages before their time.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use cardoon_broker::Delivery;
use cardoon_core::{Lease, Timestamp};
use cardoon_errors::Result;

use super::Session;
use super::claiming::{delivery, mark_revoked};
use crate::keys;
use crate::link::{items, text};
use crate::operations::change::{Applied, Change};
use crate::operations::delayed;
use crate::operations::search::{self, Delayed};

/// Messages that one call takes at most.
const MOST: usize = 256;

/// Takes up to `max` delayed messages of the session's queues, each in one step with its lease.
pub(crate) async fn claim(session: &Arc<Session>, max: usize) -> Result<Vec<(Delivery, Timestamp)>> {
    let shared = &session.shared;
    let members = next_members(session, max.clamp(1, MOST)).await?;
    let number = session.number();
    let mut found = Vec::new();
    for it in search::delayed_members(&shared.claims, members).await? {
        // Nobody of us writes another list.
        let Some(tag) = session.lists.iter().position(|list| **list == *it.list) else { continue };
        let sequence = session.next_sequence.fetch_add(1, Ordering::Relaxed);
        found.push((Lease { session: number, sequence, tag: tag as u64 }, it));
    }
    let changes: Vec<Change> = found.iter().map(|(lease, it)| take(*lease, it)).collect();
    let applied = shared.apply(&shared.claims, &changes).await;
    let mut taken = Vec::new();
    for ((lease, it), applied) in found.into_iter().zip(applied) {
        // An error may hide that it was taken: then the next claim finds it among what is held.
        let applied = applied.inspect_err(|_| session.is_unsure.store(true, Ordering::Release))?;
        if applied == Applied::Yes {
            let delivery = delivery(session, lease, it.raw, shared.now());
            taken.extend(delivery.map(|delivery| (delivery, it.due)));
        }
    }
    let (mut deliveries, dues): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
    mark_revoked(session, &mut deliveries).await?;
    Ok(deliveries.into_iter().zip(dues).collect())
}

async fn next_members(session: &Session, max: usize) -> Result<Vec<String>> {
    let mut pipeline = redis::pipe();
    for queue in &session.spec.queues {
        pipeline.cmd("ZRANGE").arg(keys::delayed_of(queue)).arg(0).arg(max - 1);
    }
    let mut members = Vec::new();
    for answer in session.shared.claims.ask_each(&pipeline).await? {
        for member in items(answer, "ZRANGE")? {
            members.push(text(member, "ZRANGE")?);
        }
    }
    members.truncate(max);
    Ok(members)
}

fn take(lease: Lease, it: &Delayed) -> Change {
    let change = Change::new()
        .if_field(keys::session(lease.session), "epoch")
        .if_member(keys::DELAYED, it.member.clone())
        .then("HSET", keys::held(lease.session), [field(lease), it.raw.clone()]);
    delayed::remove(change, &it.queue, &it.member)
}

fn field(lease: Lease) -> Bytes {
    keys::held_field(lease.sequence, lease.tag).into()
}
