-- Where Pekko has gone on with the slices $2 to $3 after $4, when we last saved
-- (NULL: never): the time that the slowest of its instances reached, of those
-- that were at work until the end.
SELECT min(reached) FROM (
    SELECT max(timestamp_offset) AS reached, max(timestamp_consumed) AS ended,
        max(max(timestamp_consumed)) OVER () AS last_ended
    FROM @pabal_projection_lag
    WHERE projection_name = $1 AND slice BETWEEN $2 AND $3 AND timestamp_consumed > coalesce($4::timestamptz, '-infinity')
    GROUP BY projection_key
) AS instances
WHERE ended >= last_ended - interval '5 minutes'
