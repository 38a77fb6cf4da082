-- Names that something is known of: all, or $1.
SELECT name FROM (
    SELECT projection AS name FROM pabal_projection_range
    UNION SELECT projection FROM pabal_projection_worker WHERE until > $2
    UNION SELECT projection_name FROM projection_management
    UNION SELECT projection_name FROM projection_offset_store
) WHERE $1 IN ('', name) ORDER BY name
