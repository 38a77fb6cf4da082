-- The timeline of the log being written now; the control file's lags behind a
-- promotion.
SELECT system_identifier::text || '-' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)
FROM pg_control_system()
