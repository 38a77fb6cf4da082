WITH request AS (
    UPDATE @pabal_outbox_state SET last_replay = last_replay + 1 RETURNING last_replay
)
UPDATE @pabal_outbox AS o
SET status = 'STARTED', attempts = 0, next_attempt = clock_timestamp(), reason = NULL, replay = request.last_replay
FROM request
WHERE o.status = 'FAILED' AND ($1::bigint[] IS NULL OR o.id = ANY ($1::bigint[]))
