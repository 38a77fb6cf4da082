WITH ranges AS (
    UPDATE @pabal_projection_range SET projection = $1, epoch = nextval(@'pabal_projection_epoch') WHERE projection = $2
)
UPDATE @projection_timestamp_offset_store SET projection_name = $1 WHERE projection_name = $2
