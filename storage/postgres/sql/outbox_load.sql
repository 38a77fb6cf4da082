-- At most $2 bytes of payload, but always the first.
SELECT id, attempts, replay, next_attempt, "time", topic, key, event_id, type, source, correlation_id,
    causation_id, traceparent, content_type, reason, headers, payload
FROM (
    SELECT *, row_number() OVER upto AS n, sum(octet_length(payload)) OVER upto AS bytes
    FROM @pabal_outbox
    WHERE id = ANY ($1::bigint[]) AND status = 'STARTED'
    WINDOW upto AS (ORDER BY id ROWS UNBOUNDED PRECEDING)
) AS counted
WHERE n = 1 OR coalesce(bytes, 0) <= $2
ORDER BY id
