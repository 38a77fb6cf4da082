-- By their old ids: the order in which the rows of a key were published.
INSERT INTO pabal_outbox (
    enqueued_at, time, topic, key, event_id, type, source, correlation_id, causation_id, traceparent, content_type, headers, payload)
SELECT $1, time, topic, key, event_id, type, source, correlation_id, causation_id, traceparent, content_type, headers, payload
FROM pabal_outbox_history WHERE published_at >= $2 ORDER BY id
