INSERT INTO pabal_outbox_history (
    id, published_at, enqueued_at, time, attempts, topic, key, event_id, type, source,
    correlation_id, causation_id, traceparent, content_type, headers, payload)
SELECT id, $1, enqueued_at, time, attempts, topic, key, event_id, type, source,
    correlation_id, causation_id, traceparent, content_type, headers, payload
FROM pabal_outbox WHERE id BETWEEN $2 AND $3 ORDER BY id
