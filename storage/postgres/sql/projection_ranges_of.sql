-- No claim changes the ranges until the transaction ends; workers go on.
SELECT min_slice, max_slice, epoch, cursor, saved FROM @pabal_projection_range
WHERE projection = $1 ORDER BY min_slice FOR KEY SHARE
