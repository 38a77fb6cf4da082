SELECT topic, partition, "offset", key, attempts, next, parked, size, reason,
    CASE WHEN octet_length(headers) <= $10 THEN headers END
FROM @pabal_inbox_waiting
WHERE consumer = $1 AND ($2 = '' OR topic = $2) AND ($3::bytea IS NULL OR key = $3)
    AND ($4::integer IS NULL OR partition = $4) AND ($5::bigint IS NULL OR "offset" = $5)
    AND ($6::text IS NULL OR (topic COLLATE "C", partition, "offset") > ($6 COLLATE "C", $7::integer, $8::bigint))
ORDER BY topic COLLATE "C", partition, "offset" LIMIT $9
