SELECT source FROM @pabal_projection_range WHERE projection = $1 AND source NOT IN ('', $2) LIMIT 1
