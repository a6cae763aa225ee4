use rusqlite::{CachedStatement, Connection};

/// Prepares a statement, or finds it prepared.
pub(crate) fn prepare<'c>(db: &'c Connection, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
    #[cfg(test)]
    seen::note(sql);
    db.prepare_cached(sql)
}

/// The statements that a test's thread has prepared.
#[cfg(test)]
pub(crate) mod seen {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local! {
        static SEEN: RefCell<BTreeSet<String>> = RefCell::default();
    }

    pub(super) fn note(sql: &str) {
        SEEN.with_borrow_mut(|seen| {
            if !seen.contains(sql) {
                seen.insert(sql.to_owned());
            }
        });
    }

    pub(crate) fn take() -> BTreeSet<String> {
        SEEN.take()
    }
}
