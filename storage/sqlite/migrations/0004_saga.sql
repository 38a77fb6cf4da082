-- One row per saga, timers and all.
CREATE TABLE pabal_saga (
    number         INTEGER PRIMARY KEY,
    name           TEXT NOT NULL,
    id             TEXT NOT NULL,
    version        INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    status         TEXT NOT NULL,
    started        INTEGER NOT NULL,
    changed        INTEGER NOT NULL,
    ended          INTEGER,
    due            INTEGER,
    correlation_id TEXT NOT NULL,
    current        TEXT NOT NULL,
    reason         TEXT NOT NULL,
    state          TEXT NOT NULL,
    progress       TEXT NOT NULL
);
CREATE UNIQUE INDEX pabal_saga_id ON pabal_saga (name, id);
CREATE INDEX pabal_saga_due ON pabal_saga (name, due) WHERE due IS NOT NULL;
CREATE INDEX pabal_saga_age ON pabal_saga (name, status, started, id);
CREATE INDEX pabal_saga_correlation ON pabal_saga (correlation_id);
CREATE INDEX pabal_saga_ended ON pabal_saga (name, ended) WHERE ended IS NOT NULL;

-- Timelines: what was decided by one transaction.
CREATE TABLE pabal_saga_entry (
    saga     INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    entries  TEXT NOT NULL,
    PRIMARY KEY (saga, revision)
) WITHOUT ROWID;
