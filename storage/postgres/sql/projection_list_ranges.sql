SELECT projection, source, min_slice, max_slice, epoch, cursor, saved FROM @pabal_projection_range
WHERE $1 IN ('', projection) ORDER BY projection, min_slice
