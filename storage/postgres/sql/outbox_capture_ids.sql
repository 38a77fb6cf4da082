SELECT id FROM @pabal_outbox WHERE status = 'STARTED' ORDER BY id LIMIT $1
