-- At most $3 rows, the first ones. Markers are deleted but not counted.
WITH gone AS (
    DELETE FROM @event_journal WHERE persistence_id = $1 AND seq_nr <= (
        SELECT max(seq_nr) FROM (
            SELECT seq_nr FROM @event_journal WHERE persistence_id = $1 AND seq_nr <= $2 ORDER BY seq_nr LIMIT $3
        ) AS first
    )
    RETURNING deleted
)
SELECT count(*), count(*) FILTER (WHERE NOT deleted) FROM gone
