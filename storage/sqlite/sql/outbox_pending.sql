-- Fresh rows with ids above $1 and below $2, without topics $3 and the keys
-- $4 ([[topic, key], …]), at most $5.
SELECT id, time, next_attempt, replay, attempts, reason, topic, key, event_id, type, source,
    correlation_id, causation_id, traceparent, content_type, headers, payload, payload IS NULL
FROM pabal_outbox
WHERE id > $1 AND id < $2 AND status = 'STARTED' AND attempts = 0 AND replay = 0
    AND topic NOT IN (SELECT value FROM json_each($3))
    AND (key = '' OR (topic, key) NOT IN (SELECT value ->> 0, value ->> 1 FROM json_each($4)))
ORDER BY id LIMIT $5
