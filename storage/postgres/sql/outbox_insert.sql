-- The shared lock of the outbox comes first, then the ids, in the rows' order:
-- a relay that has read the sequence finds every transaction that may still
-- commit one of its ids among the holders of the lock. The CTE is materialised
-- and joined before the ids are taken in the projection above the sort. Who holds
-- the lock alone may change the rows' way out, which is read under it, too. There
-- are no rows where that is way 3: see outbox_emit.
WITH locked AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(1885430369, @'pabal_outbox'::regclass::oid::int)
), way AS MATERIALIZED (
    SELECT pg_sequence_last_value(@'pabal_outbox_way')::smallint AS now FROM locked
)
INSERT INTO @pabal_outbox (id, topic, key, event_id, type, source, "time", correlation_id, causation_id,
    traceparent, content_type, headers, payload, way)
SELECT nextval(@'pabal_outbox_id'), m.topic, m.key, m.event_id, m.type, m.source, m."time", m.correlation_id,
    m.causation_id, m.traceparent, m.content_type, nullif(m.headers, '')::json, m.payload, way.now
FROM way, unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::bytea[]) WITH ORDINALITY
    AS m(topic, key, event_id, type, source, "time", correlation_id, causation_id, traceparent, content_type,
        headers, payload, n)
WHERE way.now IS DISTINCT FROM 3
ORDER BY m.n
