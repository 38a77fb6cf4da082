-- $2 are pairs of slice and persistence id.
SELECT o.persistence_id, o.slice, o.seq_nr, o.timestamp_offset, o.timestamp_consumed
FROM json_each($2) AS wanted CROSS JOIN projection_timestamp_offset_store AS o
WHERE o.projection_name = $1 AND o.slice = wanted.value ->> 0 AND o.persistence_id = wanted.value ->> 1
