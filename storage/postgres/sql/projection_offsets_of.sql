SELECT o.persistence_id, o.slice, o.seq_nr, o.timestamp_offset, o.timestamp_consumed
FROM (SELECT DISTINCT id FROM unnest($2::text[]) AS u(id)) AS wanted, LATERAL (
    SELECT persistence_id, slice, seq_nr, timestamp_offset, timestamp_consumed
    FROM @projection_timestamp_offset_store
    WHERE projection_name = $1 AND persistence_id = wanted.id
    ORDER BY timestamp_offset DESC, seq_nr DESC LIMIT 1
) AS o
