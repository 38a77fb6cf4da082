UPDATE @event_journal SET xid = NULL WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
