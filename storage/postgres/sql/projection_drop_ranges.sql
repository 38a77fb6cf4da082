DELETE FROM @pabal_projection_range WHERE projection = $1 AND min_slice <= $3 AND max_slice >= $2 RETURNING source
