-- Names beginning with @ stand for names in the configured schema.

-- The ids of the outbox. One id per nextval (CACHE 1): a session that kept some
-- in reserve would hand out ids far below the ones the relay has seen.
CREATE SEQUENCE @pabal_outbox_id CACHE 1;

-- Written only to force the write-ahead log to disk; in place, so that a relay
-- leaves no dead rows with it.
CREATE SEQUENCE @pabal_outbox_seen MINVALUE 0 START 0;

-- The id has no default on purpose: it must be taken under the outbox's lock
-- (see sql/outbox_insert.sql), and an INSERT that does not know is refused.
CREATE TABLE @pabal_outbox (
    id             bigint PRIMARY KEY,
    enqueued_at    timestamptz NOT NULL DEFAULT statement_timestamp(),
    "time"         timestamptz NOT NULL,
    next_attempt   timestamptz,
    replay         bigint  NOT NULL DEFAULT 0,
    attempts       integer NOT NULL DEFAULT 0,
    status         text    NOT NULL DEFAULT 'STARTED' CHECK (status IN ('STARTED', 'FAILED')),
    topic          text    NOT NULL,
    key            text    NOT NULL,
    event_id       text    NOT NULL,
    type           text    NOT NULL,
    source         text    NOT NULL,
    correlation_id text    NOT NULL,
    causation_id   text    NOT NULL,
    traceparent    text    NOT NULL,
    content_type   text    NOT NULL,
    headers        json,
    reason         text,
    payload        bytea
);

-- A queue: nearly every row is dead within seconds, and the number of live ones
-- says nothing about how many dead ones there are, so vacuum goes by a fixed
-- number. It must not pause (the relay makes dead rows faster than the default
-- throttle lets it remove them) and must not truncate the file, which would lock
-- writers out for a moment, only for them to grow it again.
ALTER TABLE @pabal_outbox SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000,
    autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 10000,
    toast.autovacuum_vacuum_cost_delay = 0, toast.vacuum_truncate = off
);
-- A row lives too short to be worth compressing.
ALTER TABLE @pabal_outbox ALTER COLUMN payload SET STORAGE EXTERNAL;

-- Rows refused or replayed: few, and looked for often.
CREATE INDEX pabal_outbox_aside ON @pabal_outbox (id) WHERE status = 'STARTED' AND (attempts > 0 OR replay > 0);
CREATE INDEX pabal_outbox_failed ON @pabal_outbox (id) WHERE status = 'FAILED';

-- What was published, while it is kept. Appended in the order of its key, which
-- is also the order of trimming and of publishing again: one index, always
-- written at its end.
CREATE TABLE @pabal_outbox_history (
    id             bigint NOT NULL,
    published_at   timestamptz NOT NULL,
    enqueued_at    timestamptz NOT NULL,
    "time"         timestamptz NOT NULL,
    attempts       integer NOT NULL,
    status         text NOT NULL DEFAULT 'COMPLETED' CHECK (status = 'COMPLETED'),
    topic          text NOT NULL,
    key            text NOT NULL,
    event_id       text NOT NULL,
    type           text NOT NULL,
    source         text NOT NULL,
    correlation_id text NOT NULL,
    causation_id   text NOT NULL,
    traceparent    text NOT NULL,
    content_type   text NOT NULL,
    headers        json,
    payload        bytea,
    PRIMARY KEY (published_at, id)
);

-- One row: the lease, the binding to a cluster, the copy of the position.
CREATE TABLE @pabal_outbox_state (
    one           boolean PRIMARY KEY DEFAULT true CHECK (one),
    outbox        uuid NOT NULL DEFAULT gen_random_uuid(),
    bound_system  text NOT NULL DEFAULT '',
    bound_cluster text NOT NULL DEFAULT '',
    lease_holder  text NOT NULL DEFAULT '',
    lease_token   bigint NOT NULL DEFAULT 0,
    lease_until   timestamptz NOT NULL DEFAULT '-infinity',
    last_replay   bigint NOT NULL DEFAULT 0,
    position      bytea
);
ALTER TABLE @pabal_outbox_state SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);
INSERT INTO @pabal_outbox_state DEFAULT VALUES;

-- What a consumer has seen. Ids ascend where they are ours, so each consumer
-- appends at one place of the index.
CREATE TABLE @pabal_inbox (
    consumer   text NOT NULL,
    id         text NOT NULL,
    marked_at  timestamptz NOT NULL DEFAULT statement_timestamp(),
    generation bigint NOT NULL,
    redriven   boolean NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('handled', 'dead')),
    PRIMARY KEY (consumer, id)
);
CREATE INDEX pabal_inbox_age ON @pabal_inbox (marked_at);

-- Where a consumer stands in a partition, by lane.
CREATE TABLE @pabal_inbox_lane (
    consumer    text NOT NULL,
    cluster     text NOT NULL,
    topic_id    text NOT NULL,
    partition   integer NOT NULL,
    lane        integer NOT NULL,
    next_offset bigint NOT NULL DEFAULT -1,
    epoch       bigint NOT NULL,
    generation  bigint NOT NULL DEFAULT 0,
    replay_from bigint NOT NULL DEFAULT 0,
    replay_to   bigint NOT NULL DEFAULT 0,
    topic       text NOT NULL,
    PRIMARY KEY (consumer, cluster, topic_id, partition, lane)
);
-- Every batch updates a row: room on the page keeps the update off the index,
-- and dead rows are removed before they cost more than the live ones.
ALTER TABLE @pabal_inbox_lane SET (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000
);

-- Messages that wait for a retry or behind one that does. Keys and headers are
-- bytes: they are as foreign producers sent them.
CREATE TABLE @pabal_inbox_waiting (
    consumer   text NOT NULL,
    cluster    text NOT NULL,
    topic_id   text NOT NULL,
    partition  integer NOT NULL,
    "offset"   bigint NOT NULL,
    attempts   integer NOT NULL,
    parked     boolean NOT NULL,
    next       timestamptz,
    "timestamp" timestamptz,
    size       bigint NOT NULL,
    topic      text NOT NULL,
    key        bytea NOT NULL,
    reason     text NOT NULL,
    headers    bytea,
    value      bytea,
    PRIMARY KEY (consumer, cluster, topic_id, partition, "offset")
);
CREATE INDEX pabal_inbox_waiting_parked ON @pabal_inbox_waiting (consumer, topic, key) WHERE parked;
