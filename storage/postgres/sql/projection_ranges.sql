-- Waits for the transactions of those who have a part of the slices $2 to $3, in
-- the order of their slices.
SELECT min_slice, max_slice, epoch, cursor, saved FROM @pabal_projection_range
WHERE projection = $1 AND min_slice <= $3 AND max_slice >= $2 ORDER BY min_slice FOR UPDATE
