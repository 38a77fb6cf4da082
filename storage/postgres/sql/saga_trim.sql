WITH old AS MATERIALIZED (
    SELECT ctid FROM @pabal_saga WHERE name = $1 AND ended < $2 ORDER BY ended LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS MATERIALIZED (
    DELETE FROM @pabal_saga WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING number
), entries AS (
    DELETE FROM @pabal_saga_entry WHERE saga = ANY (ARRAY(SELECT number FROM gone))
)
SELECT count(*) FROM gone
