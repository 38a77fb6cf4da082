SELECT coalesce(pg_catalog.string_agg('n' || s.pnnspid::text || ':' || s.oid::text, ' ' ORDER BY s.pnnspid), '')
FROM pg_catalog.pg_publication_namespace s
WHERE s.pnpubid = $1
