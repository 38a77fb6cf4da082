INSERT INTO pabal_outbox (
    enqueued_at, time, topic, key, event_id, type, source, correlation_id, causation_id, traceparent, content_type, headers, payload
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
