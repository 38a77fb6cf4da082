-- The event store. Tables, columns and types are those published by Apache Pekko
-- (and Akka) for their R2DBC plugins; ones that are there are taken as they are.
-- What is ours is the column xid and what belongs to it. Pekko's indexes by slice
-- are not made: no statement of ours uses them, and every append would pay for them.
-- A table that is in use is locked while its rows are indexed; who waits for the lock
-- holds up others, and rather gives up.
SET LOCAL lock_timeout = '30s';

CREATE TABLE IF NOT EXISTS @event_journal (
    slice              integer NOT NULL,
    entity_type        varchar(255) NOT NULL,
    persistence_id     varchar(255) NOT NULL,
    seq_nr             bigint NOT NULL,
    db_timestamp       timestamptz NOT NULL,
    event_ser_id       integer NOT NULL,
    event_ser_manifest varchar(255) NOT NULL,
    event_payload      bytea NOT NULL,
    deleted            boolean NOT NULL DEFAULT false,
    writer             varchar(255) NOT NULL,
    adapter_manifest   varchar(255),
    tags               text[],
    meta_ser_id        integer,
    meta_ser_manifest  varchar(255),
    meta_payload       bytea,
    PRIMARY KEY (persistence_id, seq_nr)
);

CREATE TABLE IF NOT EXISTS @snapshot (
    slice             integer NOT NULL,
    entity_type       varchar(255) NOT NULL,
    persistence_id    varchar(255) NOT NULL,
    seq_nr            bigint NOT NULL,
    write_timestamp   bigint NOT NULL,
    ser_id            integer NOT NULL,
    ser_manifest      varchar(255) NOT NULL,
    snapshot          bytea NOT NULL,
    meta_ser_id       integer,
    meta_ser_manifest varchar(255),
    meta_payload      bytea,
    PRIMARY KEY (persistence_id)
);

CREATE TABLE IF NOT EXISTS @durable_state (
    slice              integer NOT NULL,
    entity_type        varchar(255) NOT NULL,
    persistence_id     varchar(255) NOT NULL,
    revision           bigint NOT NULL,
    db_timestamp       timestamptz NOT NULL,
    state_ser_id       integer NOT NULL,
    state_ser_manifest varchar(255),
    state_payload      bytea NOT NULL,
    tags               text[],
    PRIMARY KEY (persistence_id, revision)
);

-- A table of that name that is not Pekko's, or of a release too old to share, is
-- refused here rather than at the first write.
DO $pabal$
DECLARE
    missing text;
BEGIN
    SELECT string_agg(format('%s.%s', w.tab, w.col), ', ') INTO missing
    FROM (VALUES
        (@'event_journal', 'slice', 'int4'), (@'event_journal', 'entity_type', ''), (@'event_journal', 'persistence_id', ''),
        (@'event_journal', 'seq_nr', 'int8'), (@'event_journal', 'db_timestamp', 'timestamptz'),
        (@'event_journal', 'event_ser_id', 'int4'), (@'event_journal', 'event_ser_manifest', ''),
        (@'event_journal', 'event_payload', 'bytea'), (@'event_journal', 'deleted', 'bool'), (@'event_journal', 'writer', ''),
        (@'event_journal', 'adapter_manifest', ''), (@'event_journal', 'tags', '_text'),
        (@'event_journal', 'meta_ser_id', 'int4'), (@'event_journal', 'meta_ser_manifest', ''),
        (@'event_journal', 'meta_payload', 'bytea'),
        (@'snapshot', 'slice', 'int4'), (@'snapshot', 'entity_type', ''), (@'snapshot', 'persistence_id', ''),
        (@'snapshot', 'seq_nr', 'int8'), (@'snapshot', 'write_timestamp', 'int8'), (@'snapshot', 'ser_id', 'int4'),
        (@'snapshot', 'ser_manifest', ''), (@'snapshot', 'snapshot', 'bytea'), (@'snapshot', 'meta_ser_id', 'int4'),
        (@'snapshot', 'meta_ser_manifest', ''), (@'snapshot', 'meta_payload', 'bytea'),
        (@'durable_state', 'slice', 'int4'), (@'durable_state', 'entity_type', ''), (@'durable_state', 'persistence_id', ''),
        (@'durable_state', 'revision', 'int8'), (@'durable_state', 'db_timestamp', 'timestamptz'),
        (@'durable_state', 'state_ser_id', 'int4'), (@'durable_state', 'state_ser_manifest', ''),
        (@'durable_state', 'state_payload', 'bytea'), (@'durable_state', 'tags', '_text')
    ) AS w(tab, col, typ)
    WHERE NOT EXISTS (
        SELECT FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = w.tab::regclass AND a.attname = w.col AND NOT a.attisdropped
            AND (w.typ = t.typname OR w.typ = '' AND t.typname IN ('varchar', 'text'))
    );
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_column',
            MESSAGE = 'these are not the tables of Pekko Persistence R2DBC for PostgreSQL with bytea payloads, give Pabal another schema; '
                || 'missing or of another type: ' || missing;
    END IF;
END
$pabal$;

-- The transaction that wrote a row, by which rows are read in an order that no
-- late commit can break. In two steps, because a default given at once would
-- stamp the rows that are there with this transaction. Who does not know the column
-- fills it by its default, or on an update by the trigger.
ALTER TABLE @event_journal ADD COLUMN IF NOT EXISTS xid xid8;
ALTER TABLE @event_journal ALTER COLUMN xid SET DEFAULT pg_current_xact_id();
ALTER TABLE @durable_state ADD COLUMN IF NOT EXISTS xid xid8;
ALTER TABLE @durable_state ALTER COLUMN xid SET DEFAULT pg_current_xact_id();

-- Rows from before the column are not in the first two, and alone in the others,
-- by which they are read once. The slice is there so that a reader of few slices
-- visits no rows of others.
CREATE INDEX IF NOT EXISTS event_journal_xid_idx ON @event_journal (xid, slice) WHERE xid IS NOT NULL;
CREATE INDEX IF NOT EXISTS durable_state_xid_idx ON @durable_state (xid, slice) WHERE xid IS NOT NULL;
CREATE INDEX IF NOT EXISTS event_journal_before_xid_idx
    ON @event_journal (db_timestamp, persistence_id COLLATE "C", seq_nr) WHERE xid IS NULL;
CREATE INDEX IF NOT EXISTS durable_state_before_xid_idx
    ON @durable_state (db_timestamp, persistence_id COLLATE "C", revision) WHERE xid IS NULL;

CREATE OR REPLACE FUNCTION @pabal_durable_state_xid() RETURNS trigger LANGUAGE plpgsql AS
$pabal$ BEGIN NEW.xid := pg_current_xact_id(); RETURN NEW; END $pabal$;
DROP TRIGGER IF EXISTS pabal_durable_state_xid ON @durable_state;
CREATE TRIGGER pabal_durable_state_xid BEFORE UPDATE ON @durable_state
    FOR EACH ROW EXECUTE FUNCTION @pabal_durable_state_xid();
