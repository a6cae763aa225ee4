//! Who else is there: workers in other databases of the server, and workers of Celery.

use std::collections::BTreeMap;

use cardoon_errors::{Code, Error, Finding, Report, Result};

use super::line::Line;
use crate::keys;
use crate::link::{int, items, text};

/// Who waits for tasks in which database.
#[derive(Default)]
struct Company {
    /// Workers of Cardoon, by their signs of life.
    ours: BTreeMap<i64, u64>,
    /// Connections of Celery's workers that wait for a message.
    celerys: BTreeMap<i64, u64>,
}

pub(super) async fn look(line: &mut Line, database: i64, report: Report<'_>) {
    let (ours, celerys) = (workers(line).await, celerys(line).await);
    let may_list = celerys.is_ok();
    let company = Company { ours: ours.unwrap_or_default(), celerys: celerys.unwrap_or_default() };
    report(company.elsewhere(database, &line.location));
    if may_list {
        report(company.celery(line, database).await);
    } else {
        report(Finding::unchecked(
            "celery",
            "this user may not list the connections of others (CLIENT LIST)",
        ));
    }
}

/// Workers are subscribed to channels of their own, whose names hold the database.
async fn workers(line: &mut Line) -> Result<BTreeMap<i64, u64>> {
    let answer = items(line.ask(&["PUBSUB", "CHANNELS", "cardoon:*:alive:*"]).await?, "PUBSUB")?;
    let names = answer.into_iter().filter_map(|name| text(name, "PUBSUB").ok());
    Ok(counted(names.filter_map(|name| name.split(':').nth(1)?.parse().ok())))
}

async fn celerys(line: &mut Line) -> Result<BTreeMap<i64, u64>> {
    let list = text(line.ask(&["CLIENT", "LIST"]).await?, "CLIENT LIST")?;
    Ok(counted(list.lines().filter_map(celerys_database)))
}

/// The database of a connection on which a worker of Celery waits for its next message.
fn celerys_database(client: &str) -> Option<i64> {
    let field = |name: &str| client.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    field("db").filter(|_| field("cmd") == Some("brpop"))?.parse().ok()
}

fn counted(databases: impl Iterator<Item = i64>) -> BTreeMap<i64, u64> {
    let mut counts = BTreeMap::new();
    for database in databases {
        *counts.entry(database).or_default() += 1;
    }
    counts
}

impl Company {
    fn elsewhere(&self, database: i64, location: &str) -> Finding {
        let is_attended = |number: &i64| self.ours.contains_key(number) || self.celerys.contains_key(number);
        let others =
            self.ours.keys().chain(self.celerys.keys()).copied().filter(|number| *number != database);
        let mut others: Vec<i64> = others.collect();
        others.sort_unstable();
        others.dedup();
        let (Some(first), false) = (others.first(), is_attended(&database)) else {
            let here = self.ours.get(&database).copied().unwrap_or(0);
            return Finding::fine(
                "workers",
                format!("workers of Cardoon that are connected to this database: {here}"),
            );
        };
        let error = Error::new(
            Code::OtherDatabase,
            format!("nobody waits for tasks in database {database} of {location}, but in database {first}"),
        );
        let error = others.iter().fold(error, |error, number| {
            let of = |counts: &BTreeMap<i64, u64>| counts.get(number).copied().unwrap_or(0);
            error.checked(format!(
                "database {number}: {} workers of Cardoon, {} connections of Celery's",
                of(&self.ours),
                of(&self.celerys)
            ))
        });
        Finding::warning(
            "workers",
            error.hint(format!("if those workers are meant, end the URL with /{first}")),
        )
    }

    /// What Celery's workers in this database cannot honour, as far as the server can tell.
    async fn celery(&self, line: &mut Line, database: i64) -> Finding {
        let Some(waiting) = self.celerys.get(&database) else {
            return Finding::fine("celery", "no worker of Celery waits for tasks in this database now");
        };
        let delayed = count(line, &["ZCARD", keys::DELAYED]).await;
        let paused = count(line, &["SCARD", keys::PAUSED]).await;
        let seen = |error: Error| {
            error
                .checked(format!("connections of Celery's workers that wait for tasks: {waiting}"))
                .checked("which queues they take from the server does not tell")
        };
        if delayed > 0 && !self.ours.contains_key(&database) {
            let message =
                format!("{delayed} delayed tasks wait for a worker of Cardoon, and only Celery's are there");
            let error = seen(Error::new(Code::BesideCelery, message));
            return Finding::error("celery", error.hint("start a worker of Cardoon, or: cardoon handback"));
        }
        if paused > 0 {
            let message = "a queue is paused, and Celery's workers take from it all the same";
            let error = seen(Error::new(Code::BesideCelery, message));
            return Finding::warning(
                "celery",
                error.hint("stop Celery's workers of that queue, or: cardoon queue resume QUEUE"),
            );
        }
        Finding::fine(
            "celery",
            format!(
                "connections of Celery's workers that wait for tasks: {waiting}; nothing waits that they cannot honour"
            ),
        )
    }
}

async fn count(line: &mut Line, words: &[&str]) -> i64 {
    line.ask(words).await.and_then(|count| int(&count, "a count")).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_of_celery_is_known_by_how_it_waits() {
        let client = |cmd| format!("id=7 addr=127.0.0.1:1 name= db=2 sub=0 cmd={cmd} user=default");
        assert_eq!(celerys_database(&client("brpop")), Some(2));
        assert_eq!(celerys_database(&client("client|list")), None);
    }
}
