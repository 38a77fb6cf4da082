SELECT topic, partition, offset, key, attempts, next, parked, size, reason,
    CASE WHEN length(headers) <= $10 THEN headers END
FROM pabal_inbox_waiting
WHERE consumer = $1 AND ($2 = '' OR topic = $2) AND ($3 = '' OR key = $3)
    AND ($4 IS NULL OR partition = $4) AND ($5 IS NULL OR offset = $5)
    AND ($6 IS NULL OR (topic, partition, offset) > ($6, $7, $8))
ORDER BY topic, partition, offset LIMIT $9
