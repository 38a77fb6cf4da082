-- Names beginning with @ stand for names in the configured schema.

-- The first three tables are Pekko's, as its scripts make them; where they are
-- there they are taken as they are.

-- Offsets that are not timestamps. We write none.
CREATE TABLE IF NOT EXISTS @projection_offset_store (
    projection_name VARCHAR(255) NOT NULL,
    projection_key  VARCHAR(255) NOT NULL,
    current_offset  VARCHAR(255) NOT NULL,
    manifest        VARCHAR(32) NOT NULL,
    mergeable       BOOLEAN NOT NULL,
    last_updated    BIGINT NOT NULL,
    PRIMARY KEY (projection_name, projection_key)
);

-- The last events that were handled, of each entity. timestamp_offset is the
-- event's time, timestamp_consumed when it was handled.
CREATE TABLE IF NOT EXISTS @projection_timestamp_offset_store (
    projection_name    VARCHAR(255) NOT NULL,
    projection_key     VARCHAR(255) NOT NULL,
    slice              INT NOT NULL,
    persistence_id     VARCHAR(255) NOT NULL,
    seq_nr             BIGINT NOT NULL,
    timestamp_offset   TIMESTAMP WITH TIME ZONE NOT NULL,
    timestamp_consumed TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (slice, projection_name, timestamp_offset, persistence_id, seq_nr)
);

-- Entities that are not in a worker's memory are looked for.
CREATE INDEX IF NOT EXISTS pabal_projection_offset_entity
    ON @projection_timestamp_offset_store (persistence_id, projection_name, timestamp_offset, seq_nr);

CREATE TABLE IF NOT EXISTS @projection_management (
    projection_name VARCHAR(255) NOT NULL,
    projection_key  VARCHAR(255) NOT NULL,
    paused          BOOLEAN NOT NULL,
    last_updated    BIGINT NOT NULL,
    PRIMARY KEY (projection_name, projection_key)
);

-- Slice ranges of a projection, which do not overlap: whose they are (epoch),
-- and how far they have come. saved is when something was last saved; offsets
-- consumed later are Pekko's.
CREATE TABLE IF NOT EXISTS @pabal_projection_range (
    projection text    NOT NULL,
    min_slice  integer NOT NULL,
    max_slice  integer NOT NULL CHECK (max_slice >= min_slice),
    source     text    NOT NULL,
    epoch      bigint  NOT NULL,
    cursor     json,
    saved      timestamptz,
    PRIMARY KEY (projection, min_slice)
);
-- Every batch updates a row: room on the page keeps the update off the index,
-- and dead rows are removed before they cost more than the live ones.
ALTER TABLE @pabal_projection_range SET (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000
);

-- An epoch is given once, also to a projection that was forgotten meanwhile.
CREATE SEQUENCE IF NOT EXISTS @pabal_projection_epoch CACHE 1;

-- Processes that run a projection.
CREATE TABLE IF NOT EXISTS @pabal_projection_worker (
    projection text NOT NULL,
    worker     text NOT NULL,
    until      timestamptz NOT NULL,
    PRIMARY KEY (projection, worker)
);

-- The newest event of each slice that a projection has handled, and how late that
-- was. It hops over the key, which is quick however many offsets are kept.
CREATE OR REPLACE VIEW @pabal_projection_lag AS
WITH RECURSIVE part AS (
    (SELECT slice, projection_name FROM @projection_timestamp_offset_store ORDER BY slice, projection_name LIMIT 1)
    UNION ALL
    SELECT next.slice, next.projection_name FROM part, LATERAL (
        SELECT o.slice, o.projection_name FROM @projection_timestamp_offset_store AS o
        WHERE (o.slice, o.projection_name) > (part.slice, part.projection_name)
        ORDER BY o.slice, o.projection_name LIMIT 1
    ) AS next
)
SELECT part.projection_name, part.slice, last.projection_key, last.persistence_id, last.seq_nr,
    last.timestamp_offset, last.timestamp_consumed, last.timestamp_consumed - last.timestamp_offset AS lag
FROM part, LATERAL (
    SELECT o.projection_key, o.persistence_id, o.seq_nr, o.timestamp_offset, o.timestamp_consumed
    FROM @projection_timestamp_offset_store AS o
    WHERE o.slice = part.slice AND o.projection_name = part.projection_name
    ORDER BY o.timestamp_offset DESC, o.persistence_id DESC, o.seq_nr DESC LIMIT 1
) AS last;
