-- There is no index for this on purpose: every row would pay for it, and few are
-- looked at. A backlog of a million is read in 0.4 s.
SELECT id, NULL, status, topic, key, event_id, type, correlation_id, causation_id, content_type, enqueued_at, attempts,
    next_attempt, reason, coalesce(octet_length(payload), 0), id
FROM pabal_outbox
WHERE id > $1 AND ($2 = '' OR status = $2) AND ($3 = '' OR topic = $3) AND ($4 = '' OR key = $4)
    AND ($5 = '' OR correlation_id = $5) AND ($6 = '[]' OR event_id IN (SELECT value FROM json_each($6)))
ORDER BY id LIMIT $7
