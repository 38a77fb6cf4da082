SELECT t.oid, n.nspname::text, t.typname::text,
       CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END::oid, t.typbasetype, t.typtypmod,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname <> 'pg_toast'
