-- Rows of projection $1, slices $2 to $3, that are older than $4 and of no more
-- use: there is a newer one of the slice, and their events stand at $5 or before,
-- or are gone. At most $6.
WITH newest AS MATERIALIZED (
    SELECT slice, max(timestamp_offset) AS at FROM projection_timestamp_offset_store
    WHERE projection_name = $1 AND slice BETWEEN $2 AND $3 GROUP BY slice
)
SELECT o.slice, o.persistence_id, o.seq_nr, o.timestamp_consumed
FROM newest CROSS JOIN projection_timestamp_offset_store AS o
WHERE o.projection_name = $1 AND o.slice = newest.slice AND o.timestamp_offset < min($4, newest.at)
    AND NOT EXISTS (SELECT 1 FROM event_journal AS e
        WHERE e.persistence_id = o.persistence_id AND e.seq_nr = o.seq_nr AND e.ordering > $5)
    AND NOT EXISTS (SELECT 1 FROM durable_state AS s
        WHERE s.persistence_id = o.persistence_id AND s.revision = o.seq_nr AND s.ordering > $5)
LIMIT $6
