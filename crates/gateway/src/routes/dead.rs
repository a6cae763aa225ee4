use axum::extract::State;
use cardoon_admin::input;
use cardoon_admin::view::{LetterLine, LetterView};
use cardoon_broker::DeadFilter;
use cardoon_errors::{Code, Error};

use crate::api::{Counted, DeadQuery, Given, Json, LetterChoice, Name, NoQuery, Page, Params, limit};
use crate::failure::Answer;
use crate::shared::Shared;

/// Dead letters, newest first; `more` says whether there are further ones.
#[utoipa::path(get, path = "/dead", tag = "dead", params(DeadQuery), responses((status = 200, body = Page<LetterLine>)))]
pub(super) async fn list(
    State(shared): State<Shared>,
    Params(query): Params<DeadQuery>,
) -> Answer<Given<Page<LetterLine>>> {
    let limit = limit(query.limit)?;
    let letters = shared.stores().broker.dead_letters().list(&query.filter()?, limit + 1).await?;
    Ok(Given::ok(Page::first(letters.into_iter().map(LetterLine::of).collect(), limit)))
}

/// A dead letter with its original bytes.
#[utoipa::path(get, path = "/dead/{id}", tag = "dead", params(("id" = String, Path)), responses((status = 200, body = LetterView)))]
pub(super) async fn show(
    State(shared): State<Shared>,
    Name(id): Name,
    _: Params<NoQuery>,
) -> Answer<Given<LetterView>> {
    let id = input::task_id(&id)?;
    let letter = shared.stores().broker.dead_letters().show(&id).await?.ok_or_else(|| {
        Error::new(Code::UnknownId, format!("no dead letter has the id {id}"))
            .checked(format!("store: {}", shared.stores().location))
            .hint("cardoon dead list")
    })?;
    Ok(Given::ok(LetterView::of(&letter)))
}

/// Sends dead letters to their queues again.
#[utoipa::path(post, path = "/dead/redrive", tag = "dead", request_body = LetterChoice, responses((status = 200, body = Counted)))]
pub(super) async fn redrive(
    State(shared): State<Shared>,
    _: Params<NoQuery>,
    Json(choice, _): Json<LetterChoice>,
) -> Answer<Given<Counted>> {
    let filter = choice.filter()?;
    if choice.dry_run {
        return count(&shared, &filter).await;
    }
    let count = cardoon_admin::redrive(shared.stores(), &filter).await?;
    Ok(Given::ok(Counted { count, dry_run: false }))
}

/// Deletes dead letters.
#[utoipa::path(post, path = "/dead/purge", tag = "dead", request_body = LetterChoice, responses((status = 200, body = Counted)))]
pub(super) async fn purge(
    State(shared): State<Shared>,
    _: Params<NoQuery>,
    Json(choice, _): Json<LetterChoice>,
) -> Answer<Given<Counted>> {
    let filter = choice.filter()?;
    if choice.dry_run {
        return count(&shared, &filter).await;
    }
    let count = shared.stores().broker.dead_letters().purge(&filter).await?;
    Ok(Given::ok(Counted { count, dry_run: false }))
}

async fn count(shared: &Shared, filter: &DeadFilter) -> Answer<Given<Counted>> {
    let counts = shared.stores().broker.dead_letters().count(filter).await?;
    let count = counts.iter().map(|(_, letters)| letters).sum();
    Ok(Given::ok(Counted { count, dry_run: true }))
}
