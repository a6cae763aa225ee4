//! Do the versions fit, and does the server let us in?

use cardoon_errors::{Code, Error, Finding, Report, Result};

use super::line::Line;
use crate::address::RedisAddress;
use crate::server::Info;

/// Asks for the version, before the login if the server tells it, logs in and chooses the database.
pub(super) async fn enter(
    line: &mut Line,
    address: &RedisAddress,
    report: Report<'_>,
) -> Result<Info, Finding> {
    let as_stranger = line.info().await;
    if let Ok(info) = &as_stranger {
        report(version(info, line)?);
    }
    if let Err(error) = login(line, address, as_stranger.as_ref().err()).await {
        if as_stranger.is_err() {
            report(Finding::unchecked("version", "the server tells its version after the login only"));
        }
        return Err(Finding::error("login", error));
    }
    let info = match as_stranger {
        Ok(info) => info,
        Err(_) => after_login(line, report).await?,
    };
    report(Finding::fine("login", welcome(address)));
    choose_database(line, address, &info, report).await?;
    Ok(info)
}

fn version(info: &Info, line: &Line) -> Result<Finding, Finding> {
    let (major, minor) = info.version(&line.location).map_err(|error| Finding::error("version", error))?;
    let name = if info.field("valkey_version").is_empty() { "Redis" } else { "Valkey, as Redis" };
    Ok(Finding::fine("version", format!("the server is {name} {major}.{minor}")))
}

async fn after_login(line: &mut Line, report: Report<'_>) -> Result<Info, Finding> {
    match line.info().await {
        Ok(info) => {
            report(version(&info, line)?);
            Ok(info)
        }
        Err(error) if error.code() == Code::RedisDenied => {
            report(Finding::unchecked("version", "this user may not ask the server about itself (INFO)"));
            Ok(Info::default())
        }
        Err(error) => Err(Finding::error("version", error)),
    }
}

async fn login(line: &mut Line, address: &RedisAddress, refusal: Option<&Error>) -> Result<()> {
    let answer = match (&address.user, &address.password) {
        (None, None) => match refusal {
            Some(error) if needs_login(error) => return Err(no_password(error)),
            Some(error) if error.code() != Code::RedisDenied => return Err(error.clone()),
            _ => return Ok(()),
        },
        (None, Some(password)) => line.ask(&["AUTH", password]).await,
        (Some(user), password) => line.ask(&["AUTH", user, password.as_deref().unwrap_or_default()]).await,
    };
    answer.map(drop)
}

fn needs_login(error: &Error) -> bool {
    error.findings().iter().any(|words| words.starts_with("NOAUTH"))
}

fn no_password(error: &Error) -> Error {
    error.clone().hint("write the password into the URL: redis://:PASSWORD@HOST:PORT/0")
}

fn welcome(address: &RedisAddress) -> String {
    match (&address.user, &address.password) {
        (Some(user), _) => format!("logged in as {user}"),
        (None, Some(_)) => "logged in with the password".into(),
        (None, None) => "no login is needed".into(),
    }
}

async fn choose_database(
    line: &mut Line,
    address: &RedisAddress,
    info: &Info,
    report: Report<'_>,
) -> Result<(), Finding> {
    let number = address.database;
    line.ask(&["SELECT", &number.to_string()]).await.map_err(|error| Finding::error("database", error))?;
    let keys = info.field(&format!("db{number}")).split([',', '=']).nth(1).unwrap_or("0");
    report(Finding::fine("database", format!("database {number} has {keys} keys")));
    Ok(())
}
