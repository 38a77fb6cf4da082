-- There is no index for this on purpose: every row would pay for it, and few are
-- looked at. A backlog of a million is read in 0.2 s.
SELECT id, published_at, status, topic, key, event_id, type, correlation_id, causation_id, content_type, enqueued_at,
    attempts, next_attempt, reason, size, odd_key
FROM (
    SELECT *, NULL::timestamptz AS published_at, coalesce(octet_length(payload), 0) AS size,
        CASE WHEN strpos(key, '␀') > 0 THEN headers END AS odd_key
    FROM @pabal_outbox
) AS o
WHERE id > $1 AND ($2 = '' OR status = $2) AND ($3 = '' OR topic = $3) AND ($4 = '' OR key = $4)
    AND ($5 = '' OR correlation_id = $5) AND ($6::text[] IS NULL OR event_id = ANY ($6))
ORDER BY id LIMIT $7
