-- Who holds the outbox's lock: to be asked after outbox_last_id. Prepared
-- transactions have no process.
SELECT virtualtransaction, pid IS NULL, (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint
FROM (VALUES (true)) AS always LEFT JOIN pg_locks ON locktype = 'advisory' AND objsubid = 2
    AND classid = 1885430369 AND objid = @'pabal_outbox'::regclass::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
