-- The highest transaction with a row, of the ranges $1 to $2, which descend.
SELECT j.xid FROM unnest($1::xid8[], $2::xid8[]) AS s(low, high), LATERAL (
    SELECT xid FROM @event_journal WHERE xid BETWEEN s.low AND s.high ORDER BY xid DESC LIMIT 1
) AS j LIMIT 1
