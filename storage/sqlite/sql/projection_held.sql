-- No row where the claim $1, $2, $3 is not the last one. $4 is the cursor and $6
-- the newest event's time; NULL leaves them.
UPDATE pabal_projection_range SET cursor = coalesce($4, cursor), saved = $5,
    consumed = CASE WHEN $6 >= coalesce(latest, 0) THEN $5 ELSE consumed END, latest = max(coalesce($6, latest), coalesce(latest, $6))
WHERE projection = $1 AND min_slice = $2 AND epoch = $3
