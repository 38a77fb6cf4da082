-- Ranges ($3 to $4) of ids that were all published; looking each id up in an
-- array takes twice as long.
WITH held AS (
    UPDATE @pabal_outbox_state SET position = $5 WHERE lease_token = $1 AND lease_holder = $2 RETURNING true
), gone AS (
    DELETE FROM @pabal_outbox AS o USING unnest($3::bigint[], $4::bigint[]) AS r(low, high)
    WHERE o.id BETWEEN r.low AND r.high AND EXISTS (SELECT FROM held)
)
SELECT count(*) FROM held
