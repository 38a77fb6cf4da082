WITH gone AS (
    DELETE FROM @pabal_projection_worker WHERE projection = $1 AND worker = $2
)
SELECT worker FROM @pabal_projection_worker WHERE projection = $1 AND worker <> $2 AND until > clock_timestamp()
