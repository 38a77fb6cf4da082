WITH held AS (
    UPDATE @pabal_outbox_state SET position = $5 WHERE lease_token = $1 AND lease_holder = $2 RETURNING true
), failed AS (
    UPDATE @pabal_outbox SET status = 'FAILED', next_attempt = NULL
    WHERE id = ANY ($3::bigint[]) AND status = 'STARTED' AND replay <= $4 AND EXISTS (SELECT FROM held)
)
SELECT count(*) FROM held
