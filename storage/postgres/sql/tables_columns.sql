-- Columns in their order, as expressions that can be compared.
SELECT a.attname, CASE
    WHEN t.typname = 'json' THEN format('%I::jsonb AS %1$I', a.attname)
    WHEN t.typname IN ('xml', 'point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle') THEN format('%I::text AS %1$I', a.attname)
    ELSE format('%I', a.attname) END
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
