-- The place of a dead letter is gone with this, the rows behind it are due.
WITH gone AS (
    DELETE FROM @pabal_inbox_waiting
    WHERE consumer = $1 AND topic = $2 AND key = $3 AND parked AND value IS NULL AND attempts > 0
    RETURNING true
), released AS (
    UPDATE @pabal_inbox_waiting SET parked = false, next = NULL
    WHERE consumer = $1 AND topic = $2 AND key = $3 AND parked AND NOT (value IS NULL AND attempts > 0)
    RETURNING true
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM released)
