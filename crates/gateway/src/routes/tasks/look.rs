use axum::extract::State;
use axum::http::HeaderMap;
use cardoon_admin::view::{TaskLine, TaskView};
use cardoon_admin::why::{Facts, Reason, judge, sentence};
use cardoon_admin::{Known, input, listing};
use cardoon_errors::Error;

use crate::api::{Given, ListQuery, Name, NoQuery, Page, Params, WaitQuery, WhyAnswer, limit};
use crate::failure::{Answer, language_of};
use crate::shared::Shared;

/// Tasks: those that wait or run, oldest first, then those that have ended, newest first.
#[utoipa::path(get, path = "/tasks", tag = "tasks", params(ListQuery), responses((status = 200, body = Page<TaskLine>)))]
pub(in crate::routes) async fn list(
    State(shared): State<Shared>,
    Params(query): Params<ListQuery>,
) -> Answer<Given<Page<TaskLine>>> {
    let lines =
        listing::page(shared.stores(), &query.filter()?, &query.cursor()?, limit(query.limit)?).await?;
    Ok(Given::ok(Page::part(lines.items, lines.next.map(|next| next.to_string()))))
}

/// All that is known of a task. With `wait` it answers when the task has ended, or when that time is over.
#[utoipa::path(get, path = "/tasks/{id}", tag = "tasks", params(("id" = String, Path), WaitQuery), responses((status = 200, body = TaskView)))]
pub(in crate::routes) async fn show(
    State(shared): State<Shared>,
    Name(id): Name,
    Params(query): Params<WaitQuery>,
) -> Answer<Given<TaskView>> {
    let (id, wait) = (input::task_id(&id)?, query.wait()?);
    let stores = shared.stores();
    let mut known = Known::of(stores, &id).await?;
    if let Some(wait) = wait
        && !known.state().is_final()
        && stores.results.wait(&id, Some(wait)).await?.is_some()
    {
        known = Known::of(stores, &id).await?;
    }
    Ok(Given::ok(TaskView::of(&known, &shared.limits)))
}

/// Why a task has not run, as a reason for programs and a sentence for people.
#[utoipa::path(get, path = "/tasks/{id}/why", tag = "tasks", params(("id" = String, Path)), responses((status = 200, body = WhyAnswer)))]
pub(in crate::routes) async fn why(
    State(shared): State<Shared>,
    Name(id): Name,
    _: Params<NoQuery>,
    headers: HeaderMap,
) -> Answer<Given<WhyAnswer>> {
    let id = input::task_id(&id)?;
    let facts = Facts::gather(shared.stores(), &id, shared.clock.now()).await?;
    let reason = judge(&facts);
    if reason == Reason::Unknown {
        return Err(Error::into(cardoon_admin::unknown(shared.stores(), &id)));
    }
    let sentence = sentence(&reason, language_of(&headers));
    Ok(Given::ok(WhyAnswer { id: id.to_string(), reason, sentence }))
}
