SELECT id, time, next_attempt, replay, attempts, reason, topic, key, event_id, type, source,
    correlation_id, causation_id, traceparent, content_type, headers, payload, payload IS NULL
FROM pabal_outbox
WHERE id IN (SELECT value FROM json_each($1)) AND status = 'STARTED'
ORDER BY id
