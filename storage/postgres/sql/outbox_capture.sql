-- To be asked after outbox_capture_ids: what that saw was committed before the end of the
-- log that is read here. A slot that is active belongs to one connection, of which roles that
-- are not its own see nothing but the process. Rows that a publication filters are not published.
SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint,
    s.slot_name IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost',
    CASE WHEN s.slot_type <> 'logical' THEN 'it is a physical one'
        WHEN s.database <> current_database() THEN 'it is of the database ' || s.database || ', and the outbox is in ' || current_database()
        WHEN s.plugin <> 'pgoutput' THEN 'its plugin is ' || s.plugin || ', and a connector that publishes outboxes needs pgoutput'
        ELSE '' END,
    ARRAY(
        SELECT t.pubname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_publication_tables t ON t.schemaname = n.nspname AND t.tablename = c.relname
            JOIN pg_publication p ON p.pubname = t.pubname AND p.pubinsert
        WHERE c.oid = @'pabal_outbox'::regclass AND to_jsonb(t) ->> 'rowfilter' IS NULL
    ),
    coalesce(concat_ws(' ', s.active_pid, a.backend_start, a.query_start), ''),
    CASE WHEN a.backend_start IS NOT NULL THEN coalesce(a.query, '') ELSE '' END,
    coalesce((s.confirmed_flush_lsn - '0/0'::pg_lsn)::bigint, 0)
FROM (VALUES (true)) AS always
    LEFT JOIN pg_replication_slots s ON s.slot_name = $1
    LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
