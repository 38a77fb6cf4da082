-- Among the newest $8.
SELECT id, published_at, status, topic, key, event_id, type, correlation_id, causation_id, content_type, enqueued_at,
    attempts, NULL, '', coalesce(octet_length(payload), 0), place
FROM pabal_outbox_history
WHERE place > (SELECT max(place) FROM pabal_outbox_history) - $8
    AND id > $1 AND ($2 = '' OR status = $2) AND ($3 = '' OR topic = $3) AND ($4 = '' OR key = $4)
    AND ($5 = '' OR correlation_id = $5) AND ($6 = '[]' OR event_id IN (SELECT value FROM json_each($6)))
ORDER BY id LIMIT $7
