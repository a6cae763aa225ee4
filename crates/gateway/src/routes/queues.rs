use axum::extract::State;
use cardoon_admin::input;
use cardoon_admin::view::{PeekLine, QueueLine};
use cardoon_broker::QueueStats;
use cardoon_core::QueueName;

use crate::api::{
    Counted, DryRun, Given, LimitQuery, Name, NoQuery, OptionalJson, Page, Params, QueueAnswer, limit,
};
use crate::failure::Answer;
use crate::shared::Shared;

/// All queues that hold something, have a worker or are paused.
#[utoipa::path(get, path = "/queues", tag = "queues", responses((status = 200, body = Page<QueueLine>)))]
pub(super) async fn list(State(shared): State<Shared>, _: Params<NoQuery>) -> Answer<Given<Page<QueueLine>>> {
    let queues = shared.stores().broker.inspect().queues().await?;
    Ok(Given::ok(Page::whole(queues.iter().map(QueueLine::of).collect())))
}

/// One queue; one that nothing is known of is empty.
#[utoipa::path(get, path = "/queues/{queue}", tag = "queues", params(("queue" = String, Path)), responses((status = 200, body = QueueLine)))]
pub(super) async fn show(
    State(shared): State<Shared>,
    Name(queue): Name,
    _: Params<NoQuery>,
) -> Answer<Given<QueueLine>> {
    let queue = input::queue_name(&queue)?;
    Ok(Given::ok(QueueLine::of(&stats_of(&shared, queue).await?)))
}

/// What waits in a queue, in the order in which it would be taken; `more` says whether there is more. Nothing is taken.
#[utoipa::path(
    get, path = "/queues/{queue}/messages", tag = "queues", params(("queue" = String, Path), LimitQuery),
    responses((status = 200, body = Page<PeekLine>))
)]
pub(super) async fn peek(
    State(shared): State<Shared>,
    Name(queue): Name,
    Params(query): Params<LimitQuery>,
) -> Answer<Given<Page<PeekLine>>> {
    let (queue, limit) = (input::queue_name(&queue)?, limit(query.limit)?);
    let waiting = shared.stores().broker.inspect().peek(&queue, limit + 1).await?;
    let items = waiting.into_iter().map(|waiting| PeekLine::of(waiting, &shared.limits));
    Ok(Given::ok(Page::first(items.collect(), limit)))
}

/// Pauses a queue: what is sent to it waits until it is resumed.
#[utoipa::path(post, path = "/queues/{queue}/pause", tag = "queues", params(("queue" = String, Path)), responses((status = 200, body = QueueAnswer)))]
pub(super) async fn pause(
    State(shared): State<Shared>,
    Name(queue): Name,
    _: Params<NoQuery>,
) -> Answer<Given<QueueAnswer>> {
    let queue = input::queue_name(&queue)?;
    let changed = shared.stores().broker.control().pause(&queue).await?;
    changed_queue(&shared, &queue, true, changed).await
}

/// Ends a pause.
#[utoipa::path(post, path = "/queues/{queue}/resume", tag = "queues", params(("queue" = String, Path)), responses((status = 200, body = QueueAnswer)))]
pub(super) async fn resume(
    State(shared): State<Shared>,
    Name(queue): Name,
    _: Params<NoQuery>,
) -> Answer<Given<QueueAnswer>> {
    let queue = input::queue_name(&queue)?;
    let changed = shared.stores().broker.control().resume(&queue).await?;
    changed_queue(&shared, &queue, false, changed).await
}

/// Deletes what waits in a queue, delayed messages included; what workers hold stays.
#[utoipa::path(
    post, path = "/queues/{queue}/purge", tag = "queues", params(("queue" = String, Path)),
    request_body = Option<DryRun>, responses((status = 200, body = Counted))
)]
pub(super) async fn purge(
    State(shared): State<Shared>,
    Name(queue): Name,
    _: Params<NoQuery>,
    OptionalJson(DryRun { dry_run }): OptionalJson<DryRun>,
) -> Answer<Given<Counted>> {
    let queue = input::queue_name(&queue)?;
    let count = if dry_run {
        let stats = stats_of(&shared, queue).await?;
        stats.ready + stats.delayed
    } else {
        shared.stores().broker.inspect().purge(&queue).await?
    };
    Ok(Given::ok(Counted { count, dry_run }))
}

async fn stats_of(shared: &Shared, queue: QueueName) -> Answer<QueueStats> {
    let queues = shared.stores().broker.inspect().queues().await?;
    Ok(queues.into_iter().find(|stats| stats.queue == queue).unwrap_or_else(|| QueueStats::none(queue)))
}

async fn changed_queue(
    shared: &Shared,
    queue: &QueueName,
    paused: bool,
    changed: bool,
) -> Answer<Given<QueueAnswer>> {
    let strangers = shared.stores().broker.inspect().may_have_strangers().await?;
    Ok(Given::ok(QueueAnswer { queue: queue.to_string(), paused, changed, strangers }))
}
