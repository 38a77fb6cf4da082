WITH index AS (
    SELECT i.indexrelid, i.indrelid, i.indkey::int2[] AS columns, i.indnkeyatts, i.indisprimary
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
    ORDER BY i.indisprimary DESC, c.relname COLLATE "C"
    LIMIT 1
)
SELECT a.attname::text, index.indisprimary
FROM index
CROSS JOIN LATERAL unnest(index.columns) WITH ORDINALITY AS k (attnum, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = index.indrelid AND a.attnum = k.attnum
WHERE k.place <= index.indnkeyatts
ORDER BY k.place
