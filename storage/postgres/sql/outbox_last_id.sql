-- The write-ahead log's end is read after the sequence: once it is on disk, a
-- crash cannot give these ids again. A fresh sequence says 1 before its first id.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END, (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint
FROM @pabal_outbox_id
