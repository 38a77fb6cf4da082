-- Offsets of any kind.
WITH others AS (
    DELETE FROM @projection_offset_store WHERE projection_name = $1
)
DELETE FROM @projection_timestamp_offset_store WHERE projection_name = $1
