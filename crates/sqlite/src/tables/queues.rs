//! Queues have numbers, so that the rows that name them stay small. A number is never given up.

use cardoon_core::QueueName;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension};

use super::{Step, prepare};

/// The number of `queue`; a new one if it has none.
pub(crate) fn number(step: &mut Step<'_>, queue: &QueueName) -> rusqlite::Result<i64> {
    if let Some(number) = step.state.numbers.get(queue) {
        return Ok(*number);
    }
    step.execute("INSERT INTO queue (name) VALUES (?1) ON CONFLICT DO NOTHING", [queue.as_str()])?;
    let number = known_number(step.db, queue)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    step.state.numbers.insert(queue.clone(), number);
    step.state.names.insert(number, queue.clone());
    Ok(number)
}

/// The number of `queue`, if anything was ever in it.
pub(crate) fn known_number(db: &Connection, queue: &QueueName) -> rusqlite::Result<Option<i64>> {
    prepare(db, "SELECT id FROM queue WHERE name = ?1")?
        .query_row([queue.as_str()], |row| row.get(0))
        .optional()
}

/// The name of queue `number`.
pub(crate) fn name(step: &mut Step<'_>, number: i64) -> rusqlite::Result<QueueName> {
    if let Some(name) = step.state.names.get(&number) {
        return Ok(name.clone());
    }
    let name = known_name(step.db, number)?;
    step.state.names.insert(number, name.clone());
    Ok(name)
}

pub(crate) fn known_name(db: &Connection, number: i64) -> rusqlite::Result<QueueName> {
    let text: String =
        prepare(db, "SELECT name FROM queue WHERE id = ?1")?.query_row([number], |row| row.get(0))?;
    parse(text)
}

/// A queue's name as it is stored.
pub(crate) fn parse(text: String) -> rusqlite::Result<QueueName> {
    QueueName::try_from(text)
        .map_err(|bad| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(bad)))
}
