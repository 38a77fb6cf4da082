-- Offsets of the slices $2 to $3 that are older than $4 and not the latest of
-- their slice. Of those before the last of their entity none is needed. The last
-- one is, until all readers have passed the entity's events: the transactions from
-- $5 on and those in $6 have not been read, where there is more ($7 is false) or
-- more than $8 rows of them, all are kept, and so is what would be read again from $9 on
-- after a failover.
WITH old AS MATERIALIZED (
    SELECT o.slice, o.timestamp_offset, o.persistence_id, o.seq_nr
    FROM generate_series($2::integer, $3::integer) AS s(slice)
    CROSS JOIN LATERAL (
        SELECT max(timestamp_offset) AS at FROM @projection_timestamp_offset_store
        WHERE slice = s.slice AND projection_name = $1
    ) AS latest
    JOIN @projection_timestamp_offset_store AS o
        ON o.slice = s.slice AND o.projection_name = $1 AND o.timestamp_offset < least(latest.at, $4::timestamptz)
), unread AS MATERIALIZED (
    (SELECT persistence_id FROM @event_journal WHERE xid >= $5::text::xid8 LIMIT $8 + 1)
    UNION ALL (SELECT persistence_id FROM @event_journal WHERE xid = ANY ($6::text[]::xid8[]) LIMIT $8 + 1)
    UNION ALL (SELECT persistence_id FROM @durable_state WHERE xid >= $5::text::xid8 LIMIT $8 + 1)
    UNION ALL (SELECT persistence_id FROM @durable_state WHERE xid = ANY ($6::text[]::xid8[]) LIMIT $8 + 1)
)
DELETE FROM @projection_timestamp_offset_store AS o USING old
WHERE o.projection_name = $1 AND (o.slice, o.timestamp_offset, o.persistence_id, o.seq_nr)
        = (old.slice, old.timestamp_offset, old.persistence_id, old.seq_nr)
    AND (EXISTS (
            SELECT FROM @projection_timestamp_offset_store AS later
            WHERE later.projection_name = $1 AND later.persistence_id = o.persistence_id
                AND (later.timestamp_offset, later.seq_nr) > (o.timestamp_offset, o.seq_nr))
        OR $7 AND o.timestamp_offset < $9::timestamptz AND (SELECT count(*) FROM unread) <= $8
            AND NOT EXISTS (SELECT FROM unread WHERE unread.persistence_id = o.persistence_id))
