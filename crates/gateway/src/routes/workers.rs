use axum::extract::State;
use cardoon_admin::view::WorkerLine;
use cardoon_broker::{Member, Order};

use crate::api::{Given, Name, NoQuery, Page, Params, Told, WorkerAnswer};
use crate::failure::Answer;
use crate::shared::Shared;

/// The workers that are alive.
#[utoipa::path(get, path = "/workers", tag = "workers", responses((status = 200, body = Page<WorkerLine>)))]
pub(super) async fn list(
    State(shared): State<Shared>,
    _: Params<NoQuery>,
) -> Answer<Given<Page<WorkerLine>>> {
    let members = shared.stores().broker.inspect().members().await?;
    Ok(Given::ok(Page::whole(members.into_iter().map(WorkerLine::of).collect())))
}

/// Tells the workers of a name to take nothing more, to finish what runs, and to end.
#[utoipa::path(post, path = "/workers/{worker}/drain", tag = "workers", params(("worker" = String, Path)), responses((status = 200, body = Told)))]
pub(super) async fn drain(
    State(shared): State<Shared>,
    Name(worker): Name,
    _: Params<NoQuery>,
) -> Answer<Given<Told>> {
    order(&shared, worker, Order::Drain).await
}

/// Tells the workers of a name to hand back what they have at once, and to end.
#[utoipa::path(post, path = "/workers/{worker}/stop", tag = "workers", params(("worker" = String, Path)), responses((status = 200, body = Told)))]
pub(super) async fn stop(
    State(shared): State<Shared>,
    Name(worker): Name,
    _: Params<NoQuery>,
) -> Answer<Given<Told>> {
    order(&shared, worker, Order::Stop).await
}

async fn order(shared: &Shared, worker: String, order: Order) -> Answer<Given<Told>> {
    let broker = &shared.stores().broker;
    let members = broker.inspect().members().await?;
    let mut told = Vec::new();
    for Member { worker, session, pid, .. } in cardoon_admin::workers::named(members, &[worker])? {
        // Who has left meanwhile needs no order.
        if broker.control().order(session, order).await? {
            told.push(WorkerAnswer { worker, session, pid, order });
        }
    }
    Ok(Given::ok(Told { told }))
}
