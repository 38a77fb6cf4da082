WITH held AS (
    UPDATE @pabal_outbox_state SET position = $5 WHERE lease_token = $1 AND lease_holder = $2 RETURNING true
), gone AS (
    DELETE FROM @pabal_outbox AS o USING unnest($3::bigint[], $4::bigint[]) AS r(low, high)
    WHERE o.id BETWEEN r.low AND r.high AND EXISTS (SELECT FROM held)
    RETURNING o.id, o.enqueued_at, o."time", o.attempts, o.topic, o.key, o.event_id, o.type, o.source,
        o.correlation_id, o.causation_id, o.traceparent, o.content_type, o.headers, o.payload, o.way
), kept AS (
    INSERT INTO @pabal_outbox_history (id, published_at, enqueued_at, "time", attempts, topic, key, event_id, type,
        source, correlation_id, causation_id, traceparent, content_type, headers, payload)
    SELECT id, statement_timestamp(), enqueued_at, "time", attempts, topic, key, event_id, type,
        source, correlation_id, causation_id, traceparent, content_type, headers, payload
    FROM gone WHERE way <> 3
)
SELECT count(*) FROM held
