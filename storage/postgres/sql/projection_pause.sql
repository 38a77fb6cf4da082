-- Every key that there is a row for, that Pekko or we have saved offsets with, or
-- that a worker of ours has; and all slices.
INSERT INTO @projection_management (projection_name, projection_key, paused, last_updated)
SELECT $1, k.key, $2, (extract(epoch FROM statement_timestamp()) * 1000)::bigint FROM (
    SELECT projection_key AS key FROM @projection_management WHERE projection_name = $1
    UNION SELECT projection_key FROM @projection_timestamp_offset_store WHERE projection_name = $1
    UNION SELECT projection_key FROM @projection_offset_store WHERE projection_name = $1
    UNION SELECT min_slice || '-' || max_slice FROM @pabal_projection_range WHERE projection = $1
    UNION SELECT $3
) AS k ORDER BY k.key
ON CONFLICT (projection_name, projection_key) DO UPDATE
SET paused = excluded.paused, last_updated = excluded.last_updated
