-- The lowest transaction with a row, of the ranges $1 to $2, which ascend.
SELECT j.xid, j.db_timestamp FROM unnest($1::xid8[], $2::xid8[]) AS s(low, high), LATERAL (
    SELECT xid, db_timestamp FROM @event_journal WHERE xid BETWEEN s.low AND s.high ORDER BY xid LIMIT 1
) AS j LIMIT 1
