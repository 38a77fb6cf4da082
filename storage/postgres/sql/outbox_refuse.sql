WITH held AS MATERIALIZED (
    SELECT FROM @pabal_outbox_state WHERE lease_token = $1 AND lease_holder = $2 FOR NO KEY UPDATE
), refused AS (
    UPDATE @pabal_outbox AS o SET attempts = r.attempts, next_attempt = r.next, reason = r.reason
    FROM unnest($3::bigint[], $4::integer[], $5::timestamptz[], $6::text[]) AS r(id, attempts, next, reason)
    WHERE o.id = r.id AND o.status = 'STARTED' AND EXISTS (SELECT FROM held)
)
SELECT count(*) FROM held
