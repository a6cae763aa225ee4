//! Programs that are no worker and get in the way of workers.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use cardoon_runtime::Clock;
use rusqlite::Connection;

use crate::Lab;

/// Holds the write lock of a database for `duration`, as a backup or a careless script does.
pub async fn hold_lock(database: &Path, duration: Duration) -> anyhow::Result<()> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(Duration::from_mins(1))?;
    connection.execute_batch("BEGIN IMMEDIATE").context("cannot get the write lock")?;
    Clock::real().sleep(duration).await;
    Ok(connection.execute_batch("ROLLBACK")?)
}

/// Puts back whatever workers hold, without a look at whether they live: a rescuer with a bug.
pub async fn give_away_everything(lab: &Lab) -> anyhow::Result<()> {
    match lab.redis() {
        Ok(server) => {
            const GIVEN_AWAY: &str = "
                for _, held in ipairs(redis.call('KEYS', 'cardoon:held:*')) do
                    for _, message in ipairs(redis.call('HVALS', held)) do
                        redis.call('RPUSH', KEYS[1], message)
                    end
                    redis.call('DEL', held)
                end";
            server.command(&["EVAL", GIVEN_AWAY, "1", "celery"]).await.map(drop)
        }
        Err(_) => give_away_all_of(lab.database()?),
    }
}

fn give_away_all_of(database: &Path) -> anyhow::Result<()> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(Duration::from_mins(1))?;
    let given_away = "
        BEGIN IMMEDIATE;
        UPDATE message SET redelivered = 1 WHERE seq IN (SELECT seq FROM held);
        INSERT INTO ready (queue, rank, pos, seq)
            SELECT message.queue, 9 - message.priority, -message.seq, message.seq
            FROM message JOIN held USING (seq);
        DELETE FROM held;
        COMMIT;";
    Ok(connection.execute_batch(given_away)?)
}
