-- The last of each entity, newest first. It goes by time: an entity that was
-- forgotten counts from 1 again.
SELECT persistence_id, slice, seq_nr, timestamp_offset, timestamp_consumed FROM (
    SELECT DISTINCT ON (slice, persistence_id) persistence_id, slice, seq_nr, timestamp_offset, timestamp_consumed
    FROM @projection_timestamp_offset_store
    WHERE slice BETWEEN $2 AND $3 AND projection_name = $1
    ORDER BY slice, persistence_id, timestamp_offset DESC, seq_nr DESC
) AS last
ORDER BY timestamp_offset DESC, seq_nr DESC LIMIT $4
