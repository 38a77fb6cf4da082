SELECT wake FROM @pabal_saga WHERE name = $1 AND wake IS NOT NULL ORDER BY wake LIMIT 1
