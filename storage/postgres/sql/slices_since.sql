-- The lowest transaction with a row of that time or later, NULL where there is
-- none. One that wrote an hour after it began is behind rows of a higher number: so
-- far back is looked.
SELECT min(xid) FROM @event_journal WHERE db_timestamp >= $1::timestamptz AND xid > coalesce(
    (SELECT xid FROM @event_journal
     WHERE xid IS NOT NULL AND db_timestamp < $1 - interval '1 hour' ORDER BY xid DESC LIMIT 1), '0')
