//! What holds between the rows of a sound database.

use rusqlite::{Connection, Row};

/// A rule, by what breaks it: how many rows, and one of them.
pub(super) struct Rule {
    pub(super) broken: &'static str,
    sql: &'static str,
}

/// What breaks a rule.
pub(super) struct Broken {
    pub(super) rows: u64,
    pub(super) example: Option<String>,
}

/// Where every message is, once for all rules.
const PLACES: &str = "
    CREATE TEMP TABLE place (seq INTEGER NOT NULL, name TEXT NOT NULL, queue INTEGER, rank INTEGER);
    INSERT INTO temp.place SELECT seq, 'ready', queue, rank FROM main.ready;
    INSERT INTO temp.place SELECT seq, 'delayed', queue, rank FROM main.delayed;
    INSERT INTO temp.place SELECT seq, 'held', queue, NULL FROM main.held;
    INSERT INTO temp.place SELECT seq, 'dead', NULL, NULL FROM main.dead;
    CREATE INDEX temp.place_of ON place (seq);";

pub(super) const RULES: &[Rule] = &[
    Rule {
        broken: "messages in no place: nobody will take them",
        sql: "SELECT count(*), min(m.id) FROM message m WHERE NOT EXISTS (SELECT 1 FROM place p WHERE p.seq = m.seq)",
    },
    Rule {
        broken: "messages in several places: they may be executed more often",
        sql: "SELECT count(*), min(m.id) FROM message m WHERE (SELECT count(*) FROM place p WHERE p.seq = m.seq) > 1",
    },
    Rule {
        broken: "places without their message: what stood there is lost",
        sql: "SELECT count(*), min(p.name || ' ' || p.seq) FROM place p
              WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.seq = p.seq)",
    },
    Rule {
        broken: "messages held by a worker that has left: nobody gives them back",
        sql: "SELECT count(*), min(m.id) FROM held h JOIN message m ON m.seq = h.seq
              WHERE NOT EXISTS (SELECT 1 FROM session s WHERE s.id = h.session)",
    },
    Rule {
        broken: "messages of a queue without a name",
        sql: "SELECT count(*), min(m.id) FROM message m WHERE NOT EXISTS (SELECT 1 FROM queue q WHERE q.id = m.queue)",
    },
    Rule {
        broken: "messages in the line of another queue or priority",
        sql: "SELECT count(*), min(m.id) FROM place p JOIN message m ON m.seq = p.seq
              WHERE p.queue <> m.queue OR p.rank <> 9 - m.priority",
    },
    Rule {
        broken: "delayed messages that are noted with another time",
        sql: "SELECT count(*), min(m.id) FROM delayed d JOIN message m ON m.seq = d.seq WHERE d.due IS NOT m.due",
    },
    Rule {
        broken: "waiting messages that cannot be found by their id",
        sql: "SELECT count(*), min(m.id) FROM place p JOIN message m ON m.seq = p.seq WHERE p.name <> 'dead'
              AND NOT EXISTS (SELECT 1 FROM task t WHERE t.id = m.id AND t.attempt = m.attempt AND t.seq = m.seq)",
    },
    Rule {
        broken: "ids taken by a message that is gone: sending under them is answered and adds nothing",
        sql: "SELECT count(*), min(t.id) FROM task t
              WHERE t.seq IS NOT NULL AND NOT EXISTS (SELECT 1 FROM message m WHERE m.seq = t.seq)",
    },
    Rule {
        broken: "tasks whose result is gone",
        sql: "SELECT count(*), min(t.id) FROM task t
              WHERE t.record IS NOT NULL AND NOT EXISTS (SELECT 1 FROM record r WHERE r.n = t.record)",
    },
];

/// Notes where every message is. Call it within the transaction in which the rules are asked.
pub(super) fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(PLACES)
}

impl Rule {
    /// What breaks this rule, if anything does.
    pub(super) fn ask(&self, db: &Connection) -> rusqlite::Result<Option<Broken>> {
        let read = |row: &Row<'_>| Ok(Broken { rows: row.get::<_, i64>(0)? as u64, example: row.get(1)? });
        let broken = db.query_row(self.sql, [], read)?;
        Ok((broken.rows > 0).then_some(broken))
    }
}
