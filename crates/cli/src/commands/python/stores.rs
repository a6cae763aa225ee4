//! The stores that an application names.

use cardoon_errors::Result;
use cardoon_settings::{Settings, StoreUrl};

use super::application::Application;
use super::zygote;
use crate::session::Session;

/// The session with the stores of its application, if it has one and the command line names no other ones.
pub(in crate::commands) async fn at_stores_of_application(session: Session) -> Result<Session> {
    let Some(app) = session.app.as_deref().filter(|_| !session.settings.is_flag("broker.url")) else {
        return Ok(session);
    };
    let greeting = zygote::greeting(&session, app).await?;
    let settings = with_stores(&session.settings, &Application::read(&greeting.app)?);
    Ok(Session { settings, ..session })
}

/// Stores that the application names go before those of the environment and of `cardoon.toml`, as in the application's own
/// senders, and after those of the command line.
pub(in crate::commands) fn with_stores(settings: &Settings, application: &Application) -> Settings {
    let mut settings = settings.clone();
    let (broker_named, results_named) = (settings.is_flag("broker.url"), settings.is_flag("results.url"));
    if let Some(url) = application.broker.as_ref().filter(|_| !broker_named) {
        settings.broker.url = Some(StoreUrl::new(url));
        settings.results.url = settings.results.url.filter(|_| results_named);
    }
    if let Some(url) = application.backend.as_ref().filter(|_| !results_named && !broker_named) {
        settings.results.url = Some(StoreUrl::new(url));
    }
    settings
}
