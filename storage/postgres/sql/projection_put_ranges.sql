INSERT INTO @pabal_projection_range (projection, source, min_slice, max_slice, cursor, saved, epoch)
SELECT $1, $2, r.min_slice, r.max_slice, r.cursor::json, r.saved, nextval(@'pabal_projection_epoch')
FROM unnest($3::integer[], $4::integer[], $5::text[], $6::timestamptz[]) AS r(min_slice, max_slice, cursor, saved)
RETURNING epoch
