-- Every key that there is a row for, or offsets, or a range; and all slices ($4).
INSERT INTO projection_management (projection_name, projection_key, paused, last_updated)
SELECT $1, key, $2, $3 FROM (
    SELECT projection_key AS key FROM projection_management WHERE projection_name = $1
    UNION SELECT projection_key FROM projection_timestamp_offset_store WHERE projection_name = $1
    UNION SELECT min_slice || '-' || max_slice FROM pabal_projection_range WHERE projection = $1
    UNION SELECT $4
) WHERE true
ON CONFLICT (projection_name, projection_key) DO UPDATE SET paused = excluded.paused, last_updated = excluded.last_updated
