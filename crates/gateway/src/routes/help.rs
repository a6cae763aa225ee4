use axum::extract::State;
use cardoon_admin::explain::{self, Explained};
use cardoon_admin::view::FindingLine;
use cardoon_errors::{Code, Error};

use crate::api::{Given, Name, NoQuery, Page, Params, Reader};
use crate::failure::Answer;
use crate::shared::Shared;

/// All codes of errors, without their pages.
#[utoipa::path(get, path = "/errors", tag = "help", security(()), responses((status = 200, body = Page<Explained>)))]
pub(super) async fn codes(Reader(language): Reader, _: Params<NoQuery>) -> Given<Page<Explained>> {
    Given::ok(Page::whole(explain::all(language)))
}

/// What a code means, what to check, and the next command.
#[utoipa::path(get, path = "/errors/{code}", tag = "help", security(()), params(("code" = String, Path)), responses((status = 200, body = Explained)))]
pub(super) async fn code(
    Reader(language): Reader,
    Name(code): Name,
    _: Params<NoQuery>,
) -> Answer<Given<Explained>> {
    Ok(Given::ok(explain::explain(&code, language)?))
}

/// What `cardoon doctor` finds, seen from the gateway. Takes up to 10 s; one examination goes on at a time.
#[utoipa::path(get, path = "/doctor", tag = "help", responses((status = 200, body = Page<FindingLine>)))]
pub(super) async fn doctor(
    State(shared): State<Shared>,
    Reader(language): Reader,
    _: Params<NoQuery>,
) -> Answer<Given<Page<FindingLine>>> {
    let Some(patient) = &shared.patient else {
        let message = "this gateway was not told where its stores are";
        return Err(Error::new(Code::NoSuchPath, message).hint("run cardoon doctor").into());
    };
    let _turn = shared.examining.lock().await;
    let mut lines = Vec::new();
    cardoon_doctor::examine(patient, &mut |finding| lines.push(FindingLine::of(&finding, language))).await;
    Ok(Given::ok(Page::whole(lines)))
}
