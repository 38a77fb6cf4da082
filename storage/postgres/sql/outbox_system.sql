-- Server, timeline of the log being written now (the control file's lags behind
-- a promotion), and the database within the server: one made from this as its
-- template is another.
SELECT system_identifier::text || '-' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)
       || '-' || (SELECT oid FROM pg_database WHERE datname = current_database())
FROM pg_control_system()
