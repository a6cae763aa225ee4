use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Result};
use rusqlite::{Connection, ErrorCode};

use super::existing::Existing;
use super::rules::{self, RULES};
use super::sizes::Sizes;

/// Damages that SQLite lists at most.
const DAMAGES: usize = 20;

/// What a check found.
#[derive(Debug, Clone)]
pub struct CheckReport {
    pub path: PathBuf,
    /// The version of the file's layout.
    pub layout: i32,
    pub sizes: Sizes,
    pub messages: Messages,
    /// Empty if the database is sound.
    pub findings: Vec<Finding>,
}

/// How many messages are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Messages {
    pub ready: u64,
    pub delayed: u64,
    pub held: u64,
    pub dead: u64,
}

/// Something that is wrong with a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `CD1111` for damage of the file, `CD1113` for rows that contradict each other.
    pub code: Code,
    pub what: String,
    /// How many rows, if rows are what is wrong.
    pub rows: Option<u64>,
    /// One of them.
    pub example: Option<String>,
}

/// Checks the database at `path` as it is at one moment, beside its workers; `full` compares every index with its table
/// too, which takes several times as long.
///
/// Workers go on meanwhile. The write-ahead log grows until it is over, since what is being read is not written over.
///
/// # Errors
/// `CD1112` if there is no database, and what opening one answers. That something is wrong is no error.
pub fn check(path: &Path, full: bool) -> Result<CheckReport> {
    let existing = Existing::open(path)?;
    let ask = || -> rusqlite::Result<(Messages, Vec<Finding>)> {
        // Never committed: it is one view of the file, and the rules' notes go with it.
        let view = existing.db.unchecked_transaction()?;
        let mut findings = damages(&view, full)?;
        match contradictions(&view) {
            Ok(found) => findings.extend(found),
            // The damage is listed above.
            Err(error) if is_damage(&error) && !findings.is_empty() => {}
            Err(error) => return Err(error),
        }
        Ok((Messages::count(&view).unwrap_or_default(), findings))
    };
    let (messages, findings) = ask().map_err(|error| existing.failed(error, "read"))?;
    let sizes = Sizes::of(&existing.db, &existing.path).map_err(|error| existing.failed(error, "read"))?;
    let Existing { path, layout, .. } = existing;
    Ok(CheckReport { path, layout, sizes, messages, findings })
}

/// What SQLite finds wrong with the file.
pub(super) fn damages(db: &Connection, full: bool) -> rusqlite::Result<Vec<Finding>> {
    let how = if full { "integrity_check" } else { "quick_check" };
    let mut query = db.prepare(&format!("PRAGMA {how}({DAMAGES})"))?;
    let lines = query.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let damage = |what: String| Finding { code: Code::Corrupt, what, rows: None, example: None };
    Ok(lines.into_iter().filter(|line| line != "ok").map(damage).collect())
}

/// Rows that contradict each other.
fn contradictions(db: &Connection) -> rusqlite::Result<Vec<Finding>> {
    rules::prepare(db)?;
    let mut findings = Vec::new();
    for rule in RULES {
        if let Some(broken) = rule.ask(db)? {
            findings.push(Finding {
                code: Code::RowsContradict,
                what: rule.broken.to_owned(),
                rows: Some(broken.rows),
                example: broken.example,
            });
        }
    }
    Ok(findings)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt))
}

impl Messages {
    pub(super) fn count(db: &Connection) -> rusqlite::Result<Self> {
        let rows = |table| {
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
                .map(|count| count as u64)
        };
        Ok(Self {
            ready: rows("ready")?,
            delayed: rows("delayed")?,
            held: rows("held")?,
            dead: rows("dead")?,
        })
    }
}
