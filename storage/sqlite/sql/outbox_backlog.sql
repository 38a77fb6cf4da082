SELECT
    (SELECT count(*) FROM pabal_outbox),
    (SELECT count(*) FROM pabal_outbox WHERE status = 'FAILED'),
    (SELECT count(*) FROM pabal_outbox_history),
    (SELECT enqueued_at FROM pabal_outbox WHERE status = 'STARTED' ORDER BY id LIMIT 1)
