-- Rows of way $1 become rows of way $2, under the outbox's lock. They are inserted anew, in their order:
-- connectors look at inserts only, and relays not below the ids that they have done with.
WITH old AS (
    DELETE FROM @pabal_outbox WHERE way = $1
    RETURNING id, enqueued_at, "time", topic, key, event_id, type, source, correlation_id, causation_id, traceparent,
        content_type, headers, payload
)
INSERT INTO @pabal_outbox (id, enqueued_at, "time", topic, key, event_id, type, source, correlation_id, causation_id,
    traceparent, content_type, headers, payload, way)
SELECT nextval(@'pabal_outbox_id'), enqueued_at, "time", topic, key, event_id, type, source, correlation_id, causation_id,
    traceparent, content_type, headers, payload, $2
FROM old
ORDER BY old.id
