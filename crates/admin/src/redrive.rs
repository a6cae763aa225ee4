use cardoon_broker::DeadFilter;
use cardoon_connect::Stores;
use cardoon_errors::Result;

/// Dead letters that are reopened and sent again at a time.
const PAGE: usize = 64;

/// Sends the matching dead letters to their queues again; answers how many. Results that are kept elsewhere are told before:
/// a task that has ended there would not run.
pub async fn redrive(stores: &Stores, filter: &DeadFilter) -> Result<u64> {
    let letters = stores.broker.dead_letters();
    if stores.joined {
        return letters.redrive(filter).await;
    }
    let mut redriven = 0;
    loop {
        let page = letters.list(filter, PAGE).await?;
        let ids: Vec<_> = page.into_iter().map(|letter| letter.message.id).collect();
        if ids.is_empty() {
            return Ok(redriven);
        }
        stores.results.reopen(&ids).await?;
        match letters.redrive(&DeadFilter { ids, ..filter.clone() }).await? {
            0 => return Ok(redriven),
            some => redriven += some,
        }
    }
}
