use cardoon_admin::times::rfc3339;
use cardoon_errors::{Code, Error, Result};
use cardoon_gateway::auth::{Scope, Token};
use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use crate::exit::Exit;
use crate::output::{Table, clean, local_time};
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token; it is printed once and kept nowhere
    Create(Create),
    /// List the tokens by their names
    List,
    /// Forget a token: a gateway that runs refuses it within a second
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// Its name, such as that of the program that uses it
    name: String,
    /// What it allows: send, read or control; give it again for more
    #[arg(long, required = true, value_name = "SCOPE")]
    scope: Vec<Scope>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Revoke {
    /// The token's name
    name: String,
}

#[derive(Serialize)]
struct Item {
    name: String,
    scopes: Vec<Scope>,
    created_at: String,
    #[serde(skip)]
    created: String,
}

pub(super) fn run(session: &Session, command: &Command) -> Result<Exit> {
    match command {
        Command::Create(options) => create(session, options),
        Command::List => list(session),
        Command::Revoke(options) => revoke(session, &options.name),
    }
}

fn create(session: &Session, Create { name, scope }: &Create) -> Result<Exit> {
    let now = session.clock.now();
    let token = super::tokens(session)?.change(|tokens| tokens.create(name, scope, now))?;
    session.talk.say(
        "this is shown once: keep it where only the program that uses it can read it",
        "令牌只显示这一次：请保存到只有使用它的程序能读到的地方",
    );
    session.output.one(&json!({ "name": name, "scopes": scope, "token": token }), |_| token.clone())?;
    Ok(Exit::Done)
}

fn list(session: &Session) -> Result<Exit> {
    let tokens = super::tokens(session)?.tokens();
    let items: Vec<_> = tokens.iter().flat_map(|tokens| tokens.iter()).map(Item::of).collect();
    session.output.list(&items, table)?;
    Ok(Exit::Done)
}

fn revoke(session: &Session, name: &str) -> Result<Exit> {
    let file = super::tokens(session)?;
    if !file.change(|tokens| Ok(tokens.revoke(name)))? {
        let path = file.path().display();
        return Err(Error::new(Code::BadInput, format!("there is no token `{}`", clean(name)))
            .checked(format!("file {path}"))
            .hint("cardoon gateway token list"));
    }
    session.output.one(&json!({ "name": name, "revoked": true }), |_| name.to_owned())?;
    Ok(Exit::Done)
}

impl Item {
    fn of(token: &Token) -> Self {
        Self {
            name: token.name.clone(),
            scopes: token.scopes.clone(),
            created_at: rfc3339(token.created_at),
            created: local_time(token.created_at),
        }
    }
}

fn table(items: &[Item]) -> Table {
    let mut table = Table::new(&["NAME", "SCOPES", "SINCE"]);
    for item in items {
        let scopes: Vec<_> = item.scopes.iter().map(|scope| scope.as_str()).collect();
        table.row([item.name.clone(), scopes.join(", "), item.created.clone()]);
    }
    table
}
