-- The event store: tables and columns of Pekko, with SQLite's types. Times are
-- microseconds since 1970, UTC; tags are a JSON array of text.

-- ordering: one transaction writes at a time, so who sees a number sees all below.
-- AUTOINCREMENT: a number whose row is gone is never given again.
CREATE TABLE event_journal (
    ordering           INTEGER PRIMARY KEY AUTOINCREMENT,
    slice              INTEGER NOT NULL,
    entity_type        TEXT NOT NULL,
    persistence_id     TEXT NOT NULL,
    seq_nr             INTEGER NOT NULL,
    db_timestamp       INTEGER NOT NULL,
    event_ser_id       INTEGER NOT NULL,
    event_ser_manifest TEXT NOT NULL,
    event_payload      BLOB NOT NULL,
    deleted            INTEGER NOT NULL DEFAULT 0,
    writer             TEXT NOT NULL,
    adapter_manifest   TEXT NOT NULL DEFAULT '',
    tags               TEXT,
    meta_ser_id        INTEGER,
    meta_ser_manifest  TEXT,
    meta_payload       BLOB,
    UNIQUE (persistence_id, seq_nr)
);

CREATE TABLE snapshot (
    slice             INTEGER NOT NULL,
    entity_type       TEXT NOT NULL,
    persistence_id    TEXT NOT NULL PRIMARY KEY,
    seq_nr            INTEGER NOT NULL,
    write_timestamp   INTEGER NOT NULL, -- milliseconds, as Pekko has it
    ser_id            INTEGER NOT NULL,
    ser_manifest      TEXT NOT NULL,
    snapshot          BLOB NOT NULL,
    meta_ser_id       INTEGER,
    meta_ser_manifest TEXT,
    meta_payload      BLOB
);

-- The latest revision of each; every write gives the row another ordering.
CREATE TABLE durable_state (
    ordering           INTEGER PRIMARY KEY AUTOINCREMENT,
    slice              INTEGER NOT NULL,
    entity_type        TEXT NOT NULL,
    persistence_id     TEXT NOT NULL UNIQUE,
    revision           INTEGER NOT NULL,
    db_timestamp       INTEGER NOT NULL,
    state_ser_id       INTEGER NOT NULL,
    state_ser_manifest TEXT NOT NULL,
    state_payload      BLOB NOT NULL,
    tags               TEXT
);

-- One row: a UUID (version 4) by which cursors know whose they are.
CREATE TABLE pabal_journal (
    one     INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    journal TEXT NOT NULL
);
INSERT INTO pabal_journal (journal) VALUES (lower(
    hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||
    substr('89AB', 1 + abs(random() % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))));
