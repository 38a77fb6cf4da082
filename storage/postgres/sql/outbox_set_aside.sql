SELECT id, attempts, replay, next_attempt, "time", topic, key, event_id, type, source, correlation_id,
    causation_id, traceparent, content_type, reason, NULL::json, NULL::bytea
FROM @pabal_outbox
WHERE status = 'STARTED' AND (attempts > 0 OR replay > 0)
ORDER BY id LIMIT $1
