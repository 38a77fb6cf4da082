-- As in outbox_insert: the lock, then the way and the ids, in the rows' old order.
WITH locked AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(1885430369, @'pabal_outbox'::regclass::oid::int)
), way AS MATERIALIZED (
    SELECT pg_sequence_last_value(@'pabal_outbox_way')::smallint AS now FROM locked
), back AS (
    DELETE FROM @pabal_outbox_history WHERE published_at >= $1
    RETURNING id, "time", topic, key, event_id, type, source, correlation_id, causation_id, traceparent,
        content_type, headers, payload
)
INSERT INTO @pabal_outbox (id, "time", topic, key, event_id, type, source, correlation_id, causation_id,
    traceparent, content_type, headers, payload, way)
SELECT nextval(@'pabal_outbox_id'), "time", topic, key, event_id, type, source, correlation_id, causation_id,
    traceparent, content_type, headers, payload, CASE way.now WHEN 3 THEN 1 ELSE way.now END
FROM way, back
ORDER BY back.id
