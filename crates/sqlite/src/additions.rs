//! What later programs added to the first layout. Each addition is one that programs which do not know it are not
//! disturbed by, so that old and new ones share a file, as in a rolling upgrade.

use rusqlite::Connection;

/// A table or an index, and how it is made.
const OBJECTS: &[(&str, &str)] = &[
    // Queues that nothing is taken from.
    ("paused", "CREATE TABLE paused (queue INTEGER PRIMARY KEY) STRICT"),
    // What workers are told to do, each by the last word.
    ("worker_order", "CREATE TABLE worker_order (session INTEGER PRIMARY KEY, what TEXT NOT NULL) STRICT"),
    // Entries of the coordination port. A version is never given twice.
    (
        "entry",
        "CREATE TABLE entry (
             version INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL, until INTEGER
         ) STRICT",
    ),
    ("entry_until", "CREATE INDEX entry_until ON entry (until) WHERE until IS NOT NULL"),
    // By it lists are filtered, and ordered by their time.
    ("record_kind", "CREATE INDEX record_kind ON record (task, queue, state, finished_at)"),
];

/// A column, its table, and what it is.
const COLUMNS: &[(&str, &str, &str)] = &[("session", "version", "TEXT NOT NULL DEFAULT ''")];

/// The statements that make what the file lacks; empty if it lacks nothing.
pub(crate) fn missing(db: &Connection) -> rusqlite::Result<String> {
    let mut object = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1")?;
    let mut column = db.prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2")?;
    let mut statements = Vec::new();
    for (name, sql) in OBJECTS {
        if !object.exists([name])? {
            statements.push(format!("{sql};\n"));
        }
    }
    for (table, name, kind) in COLUMNS {
        if !column.exists([table, name])? {
            statements.push(format!("ALTER TABLE {table} ADD COLUMN {name} {kind};\n"));
        }
    }
    Ok(statements.concat())
}

/// A database in memory that has the layout and all additions.
#[cfg(test)]
pub(crate) fn laid_out() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(include_str!("layout.sql")).unwrap();
    db.execute_batch(&missing(&db).unwrap()).unwrap();
    db
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_has_everything_lacks_nothing() {
        assert_eq!(missing(&laid_out()).unwrap(), "");
    }

    #[test]
    fn a_program_that_knows_no_additions_writes_its_rows_as_ever() {
        let db = laid_out();
        let insert = "INSERT INTO session (worker, pid, queues, tasks, slots, lease, since, file)
                      VALUES ('w', 1, '[]', '[]', 1, 1, 1, 'f')";
        db.execute_batch(insert).unwrap();
        let version: String = db.query_row("SELECT version FROM session", [], |row| row.get(0)).unwrap();
        assert_eq!(version, "");
    }
}
