-- Times are microseconds since 1970, UTC.

-- AUTOINCREMENT: an emptied table otherwise starts its ids again.
CREATE TABLE pabal_outbox (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    enqueued_at    INTEGER NOT NULL,
    time           INTEGER NOT NULL,
    next_attempt   INTEGER,
    replay         INTEGER NOT NULL DEFAULT 0,
    attempts       INTEGER NOT NULL DEFAULT 0,
    status         TEXT NOT NULL DEFAULT 'STARTED' CHECK (status IN ('STARTED', 'FAILED')),
    topic          TEXT NOT NULL,
    key            TEXT NOT NULL,
    event_id       TEXT NOT NULL,
    type           TEXT NOT NULL,
    source         TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    causation_id   TEXT NOT NULL,
    traceparent    TEXT NOT NULL,
    content_type   TEXT NOT NULL,
    headers        TEXT,
    reason         TEXT NOT NULL DEFAULT '',
    payload        BLOB
);
-- Rows refused or replayed: few, and looked for often.
CREATE INDEX pabal_outbox_aside ON pabal_outbox (id) WHERE status = 'STARTED' AND (attempts > 0 OR replay > 0);
CREATE INDEX pabal_outbox_failed ON pabal_outbox (id) WHERE status = 'FAILED';

-- What was published, while it is kept; appended in the order of publishing.
CREATE TABLE pabal_outbox_history (
    place          INTEGER PRIMARY KEY,
    id             INTEGER NOT NULL,
    published_at   INTEGER NOT NULL,
    enqueued_at    INTEGER NOT NULL,
    time           INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    status         TEXT NOT NULL DEFAULT 'COMPLETED' CHECK (status = 'COMPLETED'),
    topic          TEXT NOT NULL,
    key            TEXT NOT NULL,
    event_id       TEXT NOT NULL,
    type           TEXT NOT NULL,
    source         TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    causation_id   TEXT NOT NULL,
    traceparent    TEXT NOT NULL,
    content_type   TEXT NOT NULL,
    headers        TEXT,
    payload        BLOB
);
CREATE INDEX pabal_outbox_history_age ON pabal_outbox_history (published_at);

-- One row: the lease, the binding to a cluster, the copy of the position.
CREATE TABLE pabal_outbox_state (
    one           INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    outbox        TEXT NOT NULL,
    bound_system  TEXT NOT NULL DEFAULT '',
    bound_cluster TEXT NOT NULL DEFAULT '',
    lease_holder  TEXT NOT NULL DEFAULT '',
    lease_token   INTEGER NOT NULL DEFAULT 0,
    lease_until   INTEGER NOT NULL DEFAULT 0,
    last_replay   INTEGER NOT NULL DEFAULT 0,
    position      BLOB
);
-- A random UUID (version 4).
INSERT INTO pabal_outbox_state (outbox) VALUES (lower(
    hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||
    substr('89AB', 1 + abs(random() % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))));

-- What a consumer has seen.
CREATE TABLE pabal_inbox (
    consumer   TEXT NOT NULL,
    id         TEXT NOT NULL,
    marked_at  INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    outcome    TEXT NOT NULL CHECK (outcome IN ('handled', 'dead')),
    PRIMARY KEY (consumer, id)
) WITHOUT ROWID;
CREATE INDEX pabal_inbox_age ON pabal_inbox (marked_at);

-- Where a consumer stands in a partition, by lane.
CREATE TABLE pabal_inbox_lane (
    consumer    TEXT NOT NULL,
    cluster     TEXT NOT NULL,
    topic_id    TEXT NOT NULL,
    partition   INTEGER NOT NULL,
    lane        INTEGER NOT NULL,
    next_offset INTEGER NOT NULL DEFAULT -1,
    epoch       INTEGER NOT NULL,
    generation  INTEGER NOT NULL DEFAULT 0,
    replay_from INTEGER NOT NULL DEFAULT 0,
    replay_to   INTEGER NOT NULL DEFAULT 0,
    topic       TEXT NOT NULL,
    PRIMARY KEY (consumer, cluster, topic_id, partition, lane)
) WITHOUT ROWID;

-- Messages that wait for a retry or behind one that does.
CREATE TABLE pabal_inbox_waiting (
    consumer  TEXT NOT NULL,
    cluster   TEXT NOT NULL,
    topic_id  TEXT NOT NULL,
    partition INTEGER NOT NULL,
    offset    INTEGER NOT NULL,
    attempts  INTEGER NOT NULL,
    parked    INTEGER NOT NULL,
    next      INTEGER,
    timestamp INTEGER,
    size      INTEGER NOT NULL,
    topic     TEXT NOT NULL,
    key       TEXT NOT NULL,
    reason    TEXT NOT NULL,
    headers   BLOB,
    value     BLOB,
    PRIMARY KEY (consumer, cluster, topic_id, partition, offset)
);
CREATE INDEX pabal_inbox_waiting_parked ON pabal_inbox_waiting (consumer, topic, key) WHERE parked;
