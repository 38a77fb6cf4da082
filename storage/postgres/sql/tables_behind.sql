-- An entity of which projection $1 has handled more than projection $2, whose
-- readers have still to read the transactions from $3 on and those in $4, rows
-- without a transaction after $5, $6, $7, and all rows from $8 on. An entity
-- without an offset was handled where its events have been read.
SELECT live.persistence_id, live.seq_nr FROM (
    SELECT DISTINCT ON (slice, persistence_id) slice, persistence_id, timestamp_offset, seq_nr
    FROM @projection_timestamp_offset_store WHERE projection_name = $1
    ORDER BY slice, persistence_id, timestamp_offset DESC, seq_nr DESC
) AS live
LEFT JOIN (
    SELECT DISTINCT ON (slice, persistence_id) slice, persistence_id, timestamp_offset, seq_nr
    FROM @projection_timestamp_offset_store WHERE projection_name = $2
    ORDER BY slice, persistence_id, timestamp_offset DESC, seq_nr DESC
) AS rebuild USING (slice, persistence_id)
WHERE (rebuild.timestamp_offset, rebuild.seq_nr) < (live.timestamp_offset, live.seq_nr)
    OR rebuild.seq_nr IS NULL AND EXISTS (
        SELECT FROM (
            (SELECT xid, db_timestamp, persistence_id, seq_nr FROM @event_journal
            WHERE persistence_id = live.persistence_id AND seq_nr <= live.seq_nr ORDER BY seq_nr DESC LIMIT 1)
            UNION ALL
            SELECT xid, db_timestamp, persistence_id, revision FROM @durable_state WHERE persistence_id = live.persistence_id
        ) AS e
        WHERE e.xid >= $3::text::xid8 OR e.xid = ANY ($4::text[]::xid8[]) OR e.db_timestamp >= $8::timestamptz
            OR e.xid IS NULL AND (e.db_timestamp, e.persistence_id COLLATE "C", e.seq_nr) > ($5::timestamptz, $6::text, $7::bigint))
LIMIT 1
