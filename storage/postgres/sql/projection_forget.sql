WITH workers AS (
    DELETE FROM @pabal_projection_worker WHERE projection = $1
)
DELETE FROM @projection_management WHERE projection_name = $1
