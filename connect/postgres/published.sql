SELECT p.oid, p.puballtables,
       (SELECT coalesce(pg_catalog.string_agg(r.prrelid::text || ':' || r.oid::text, ' ' ORDER BY r.prrelid), '')
        FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid)
FROM pg_catalog.pg_publication p
WHERE p.pubname = $1
