WITH n AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::text[])
        AS u(name, id, revision, version, status, state, progress, current, correlation_id, reason, started, changed, ended,
            due, entries)
), fresh AS (
    INSERT INTO @pabal_saga (name, id, revision, version, status, state, progress, current, correlation_id, reason, started,
        changed, ended, due, wake)
    SELECT name, id, revision, version, status, state::json, progress::json, current, correlation_id, reason, started,
        changed, ended, due, due FROM n
    ON CONFLICT (name, id) DO NOTHING
    RETURNING number, name, id, revision
), kept AS (
    INSERT INTO @pabal_saga_entry (saga, revision, entries)
    SELECT fresh.number, fresh.revision, n.entries::json FROM fresh JOIN n ON n.name = fresh.name AND n.id = fresh.id
    WHERE n.entries <> ''
)
SELECT name, id FROM fresh
