-- Rows refused or replayed, without headers and payload.
SELECT id, time, next_attempt, replay, attempts, reason, topic, key, event_id, type, source,
    correlation_id, causation_id, traceparent, content_type, NULL, NULL, 1
FROM pabal_outbox
WHERE status = 'STARTED' AND (attempts > 0 OR replay > 0)
ORDER BY id LIMIT $1
