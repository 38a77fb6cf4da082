-- Whether there are rows of transactions that this server has yet to begin: they
-- came with a dump.
SELECT EXISTS (SELECT FROM @event_journal WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))
