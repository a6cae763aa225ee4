-- Where a message is, is the table that has its seq: ready, delayed, held or dead.

CREATE TABLE queue (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- Written once when it is published, deleted once when it is done with. `pos` is where it was first put in `ready`,
-- `due` when it was last delayed until. Content type and encoding are NULL for JSON in UTF-8.
CREATE TABLE message (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, attempt INTEGER NOT NULL, queue INTEGER NOT NULL,
    priority INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, due INTEGER, pos INTEGER, expires INTEGER,
    resent INTEGER NOT NULL, redelivered INTEGER NOT NULL, deaths INTEGER NOT NULL,
    task TEXT NOT NULL, content_type TEXT, content_encoding TEXT, headers BLOB NOT NULL, body BLOB NOT NULL
) STRICT;

-- rank = 9 - priority; pos grows towards the back and may be negative.
CREATE TABLE ready (
    queue INTEGER NOT NULL, rank INTEGER NOT NULL, pos INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (queue, rank, pos)
) STRICT, WITHOUT ROWID;

CREATE TABLE delayed (
    due INTEGER NOT NULL, seq INTEGER NOT NULL, queue INTEGER NOT NULL, rank INTEGER NOT NULL,
    PRIMARY KEY (due, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE held (
    session INTEGER NOT NULL, seq INTEGER NOT NULL, sequence INTEGER NOT NULL, early INTEGER NOT NULL,
    queue INTEGER NOT NULL,
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE dead (
    n INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL UNIQUE, reason TEXT NOT NULL, detail TEXT NOT NULL,
    died_at INTEGER NOT NULL
) STRICT;

-- The consumers. Whether one is alive, its file in the live folder says.
CREATE TABLE session (
    id INTEGER PRIMARY KEY AUTOINCREMENT, worker TEXT NOT NULL, pid INTEGER NOT NULL, queues TEXT NOT NULL,
    tasks TEXT NOT NULL, slots INTEGER NOT NULL, lease INTEGER NOT NULL, since INTEGER NOT NULL,
    file TEXT NOT NULL
) STRICT;

-- What is known of a task id, a row an attempt: its message (seq), its run record (run, ended; NULL until a run
-- registers or ends) and the record of its ended run. The row of the highest attempt that has a run is the task's
-- run record; attempts below 0 are history from before the task was reopened. `touched` is set when neither message nor record says how old the row is.
CREATE TABLE task (
    id TEXT NOT NULL, attempt INTEGER NOT NULL, seq INTEGER, run INTEGER, ended INTEGER, record INTEGER,
    touched INTEGER,
    PRIMARY KEY (id, attempt)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_touched ON task (touched) WHERE touched IS NOT NULL;

-- Ended runs in the order of their ends. The last n is never deleted, so that a follower may rely on its growing.
CREATE TABLE record (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL, run INTEGER NOT NULL, attempt INTEGER NOT NULL, state TEXT NOT NULL,
    started_at INTEGER, finished_at INTEGER NOT NULL, queue INTEGER NOT NULL, task TEXT NOT NULL,
    worker TEXT NOT NULL, value BLOB, failure TEXT
) STRICT;

CREATE TABLE progress (
    id TEXT PRIMARY KEY, run INTEGER NOT NULL, done INTEGER NOT NULL, total INTEGER, message TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE revoked (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL) STRICT;

-- Batches of events, as JSON.
CREATE TABLE event (n INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, batch TEXT NOT NULL) STRICT;

-- How far the upkeep has come.
CREATE TABLE mark (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
