-- The names, by hopping over the key; then the oldest of each name and status, which
-- the index has in that order.
WITH RECURSIVE known AS (
    (SELECT name FROM @pabal_saga WHERE $1 = '' OR name = $1 ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (SELECT s.name FROM @pabal_saga AS s WHERE s.name > known.name ORDER BY s.name LIMIT 1)
    FROM known WHERE $1 = '' AND known.name IS NOT NULL
)
SELECT s.name, s.id, s.version, s.revision, s.status, NULL::json, NULL::json, s.current, s.correlation_id, s.reason, s.started,
    s.changed, s.ended, s.due
FROM known, unnest($2::text[]) AS wanted(status), LATERAL (
    SELECT * FROM @pabal_saga AS one
    WHERE one.name = known.name AND one.status = wanted.status AND one.number > 0
        AND ($3 = '' OR one.id = $3) AND ($4 = '' OR one.correlation_id = $4)
        AND ($5::timestamptz IS NULL OR one.started < $5)
        AND ($6::timestamptz IS NULL OR one.started >= $6 AND (one.started, one.name, one.id) > ($6, $7 COLLATE "C", $8 COLLATE "C"))
    ORDER BY one.started, one.id LIMIT $9
) AS s
ORDER BY s.started, s.name, s.id LIMIT $9
