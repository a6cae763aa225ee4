use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};

use cardoon::App;
use cardoon_errors::{Code, Result};
use cardoon_gateway::auth::TokenPlace;
use cardoon_gateway::{Gateway, GatewayOptions};

use crate::exit::Exit;
use crate::session::Session;
use crate::signals::Signals;
use crate::stores::{Stores, Urls};

/// Files that a process needs besides its connections.
#[cfg(unix)]
const OTHER_FILES: u64 = 128;

pub(super) async fn run(session: &Session) -> Result<Exit> {
    let mut signals = Signals::listen()?;
    let tokens = super::token_place(session)?;
    let stores = session.connect().await?;
    let gateway = open(session, &stores, session.settings.gateway.listen, Some(tokens.clone())).await?;
    introduce(session, &stores, &gateway, tokens.path());
    let asked = Cell::new(Exit::Done);
    let served = gateway.serve(async { asked.set(signals.next().await) }).await;
    stores.close().await;
    served.map(|()| asked.get())
}

/// A gateway for whoever develops on this machine: on loopback and without tokens, on another port if its own is taken.
pub(in crate::commands) async fn open_for_development(session: &Session, stores: &Stores) -> Result<Gateway> {
    let set = session.settings.gateway.listen;
    let listen = if set.ip().is_loopback() { set } else { (Ipv4Addr::LOCALHOST, set.port()).into() };
    match open(session, stores, listen, None).await {
        Err(error) if error.code() == Code::CannotListen => {
            open(session, stores, SocketAddr::new(listen.ip(), 0), None).await
        }
        opened => opened,
    }
}

async fn open(
    session: &Session,
    stores: &Stores,
    listen: SocketAddr,
    tokens: Option<TokenPlace>,
) -> Result<Gateway> {
    let set = &session.settings.gateway;
    let options = GatewayOptions {
        listen,
        tokens,
        patient: Urls::of(&session.settings).ok().map(|urls| urls.patient(&session.clock)),
        body_limit: usize::try_from(set.body_limit.0).unwrap_or(usize::MAX),
        connections: set.connections.get() as usize,
    };
    raise_open_files(options.connections);
    let app = App::builder().settings(session.settings.clone()).clock(session.clock.clone());
    let app = app.origin(format!("{}@cardoon-gateway", std::process::id()));
    let app = app.with_stores(stores.clone().into());
    Gateway::bind(app, session.limits(), &options, &session.clock).await
}

/// Asks the system for as many open files as there may be connections, or as many as it allows.
#[cfg(unix)]
fn raise_open_files(connections: usize) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = connections as u64 + OTHER_FILES;
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "the number of open files stays as it was");
        }
    }
}

#[cfg(not(unix))]
fn raise_open_files(_connections: usize) {}

fn introduce(session: &Session, stores: &Stores, gateway: &Gateway, tokens: &std::path::Path) {
    let (location, address, file) = (&stores.location, gateway.address(), tokens.display());
    session.talk.say(format!("database  {location}"), format!("数据库    {location}"));
    session.talk.say(format!("gateway   http://{address}"), format!("网关      http://{address}"));
    if gateway.needs_token() {
        session.talk.say(
            format!("tokens    requests need one of those in {file}"),
            format!("令牌      请求要带上 {file} 里的令牌"),
        );
    } else {
        session.talk.say(
            "tokens    none: whoever is on this machine may do everything",
            "令牌      没有：这台机器上的任何人都可以做任何操作",
        );
    }
}
