-- What is known of all, or of $1.
WITH named AS (
    SELECT projection AS name FROM @pabal_projection_range
    UNION SELECT projection FROM @pabal_projection_worker WHERE until > clock_timestamp()
    UNION SELECT projection_name FROM @projection_management
    UNION SELECT projection_name FROM @projection_offset_store
    UNION SELECT projection_name FROM @pabal_projection_lag
), latest AS (
    SELECT DISTINCT ON (projection_name) projection_name, timestamp_offset, timestamp_consumed
    FROM @pabal_projection_lag ORDER BY projection_name, timestamp_offset DESC, timestamp_consumed DESC
)
SELECT n.name, latest.timestamp_offset, latest.timestamp_consumed,
    EXISTS (SELECT 1 FROM @projection_management AS m WHERE m.projection_name = n.name AND m.paused),
    ARRAY(SELECT w.worker FROM @pabal_projection_worker AS w
        WHERE w.projection = n.name AND w.until > clock_timestamp() ORDER BY w.worker COLLATE "C")
FROM named AS n LEFT JOIN latest ON latest.projection_name = n.name
WHERE $1 IN ('', n.name) ORDER BY n.name COLLATE "C"
