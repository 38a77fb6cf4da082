-- The history is counted up to a million rows, and estimated beyond.
SELECT o.started, o.failed, o.oldest,
    CASE WHEN h.counted < 1000000 THEN h.counted
    ELSE greatest(h.counted, (SELECT reltuples::bigint FROM pg_class WHERE oid = @'pabal_outbox_history'::regclass)) END
FROM (
    SELECT count(*) FILTER (WHERE status = 'STARTED') AS started, count(*) FILTER (WHERE status = 'FAILED') AS failed,
        min(enqueued_at) FILTER (WHERE status = 'STARTED') AS oldest
    FROM @pabal_outbox
) AS o, (SELECT count(*) AS counted FROM (SELECT FROM @pabal_outbox_history LIMIT 1000000) AS few) AS h
