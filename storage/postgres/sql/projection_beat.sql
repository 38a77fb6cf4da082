-- Expired rows go, unless somebody else is at them.
WITH beat AS (
    INSERT INTO @pabal_projection_worker (projection, worker, until)
    VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
    ON CONFLICT (projection, worker) DO UPDATE SET until = excluded.until
), gone AS (
    DELETE FROM @pabal_projection_worker WHERE (projection, worker) IN (
        SELECT projection, worker FROM @pabal_projection_worker
        WHERE projection = $1 AND worker <> $2 AND until <= clock_timestamp() FOR UPDATE SKIP LOCKED)
)
SELECT worker FROM @pabal_projection_worker WHERE projection = $1 AND worker <> $2 AND until > clock_timestamp()
UNION ALL SELECT $2
