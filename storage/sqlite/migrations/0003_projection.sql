-- Offsets of projections: the first three tables are Pekko's, with SQLite's types.

-- Offsets that are not timestamps. We write none.
CREATE TABLE projection_offset_store (
    projection_name TEXT NOT NULL,
    projection_key  TEXT NOT NULL,
    current_offset  TEXT NOT NULL,
    manifest        TEXT NOT NULL,
    mergeable       INTEGER NOT NULL,
    last_updated    INTEGER NOT NULL, -- milliseconds
    PRIMARY KEY (projection_name, projection_key)
) WITHOUT ROWID;

-- The last event of each entity that was handled. timestamp_offset is the event's
-- time, timestamp_consumed when it was handled, in microseconds.
CREATE TABLE projection_timestamp_offset_store (
    projection_name    TEXT NOT NULL,
    projection_key     TEXT NOT NULL,
    slice              INTEGER NOT NULL,
    persistence_id     TEXT NOT NULL,
    seq_nr             INTEGER NOT NULL,
    timestamp_offset   INTEGER NOT NULL,
    timestamp_consumed INTEGER NOT NULL,
    PRIMARY KEY (projection_name, slice, persistence_id)
) WITHOUT ROWID;

CREATE TABLE projection_management (
    projection_name TEXT NOT NULL,
    projection_key  TEXT NOT NULL,
    paused          INTEGER NOT NULL,
    last_updated    INTEGER NOT NULL, -- milliseconds
    PRIMARY KEY (projection_name, projection_key)
) WITHOUT ROWID;

-- Slice ranges of a projection, which do not overlap: whose they are (epoch; 0 is
-- nobody's), how far they have come, and the newest event handled in them.
CREATE TABLE pabal_projection_range (
    projection TEXT NOT NULL,
    min_slice  INTEGER NOT NULL,
    max_slice  INTEGER NOT NULL CHECK (max_slice >= min_slice),
    source     TEXT NOT NULL,
    epoch      INTEGER NOT NULL,
    cursor     TEXT,
    saved      INTEGER,
    latest     INTEGER,
    consumed   INTEGER,
    PRIMARY KEY (projection, min_slice)
) WITHOUT ROWID;

-- An epoch is given once, also to a projection that was forgotten meanwhile.
CREATE TABLE pabal_projection_epoch (
    one  INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    last INTEGER NOT NULL
);
INSERT INTO pabal_projection_epoch (last) VALUES (0);

-- Processes that run a projection.
CREATE TABLE pabal_projection_worker (
    projection TEXT NOT NULL,
    worker     TEXT NOT NULL,
    until      INTEGER NOT NULL,
    PRIMARY KEY (projection, worker)
) WITHOUT ROWID;

-- The newest event of each slice that a projection has handled, and how late that
-- was, in microseconds.
CREATE VIEW pabal_projection_lag AS
SELECT projection_name, slice, projection_key, persistence_id, seq_nr, max(timestamp_offset) AS timestamp_offset,
    timestamp_consumed, timestamp_consumed - timestamp_offset AS lag
FROM projection_timestamp_offset_store GROUP BY projection_name, slice;
