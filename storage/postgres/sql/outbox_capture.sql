-- To be asked after outbox_capture_ids: what that saw was committed before the end of the
-- log that is read here. A slot that is active belongs to one connection, whose
-- start others may not see.
SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint,
    s.slot_name IS NOT NULL,
    EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_publication_tables t ON t.schemaname = n.nspname AND t.tablename = c.relname
            JOIN pg_publication p ON p.pubname = t.pubname AND p.pubinsert
        WHERE c.oid = @'pabal_outbox'::regclass
    ),
    coalesce(s.active_pid::text || ' ' || coalesce(a.backend_start::text, ''), ''),
    coalesce((s.confirmed_flush_lsn - '0/0'::pg_lsn)::bigint, 0)
FROM (VALUES (true)) AS always
    LEFT JOIN pg_replication_slots s ON s.slot_name = $1 AND s.database = current_database() AND s.slot_type = 'logical'
    LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
