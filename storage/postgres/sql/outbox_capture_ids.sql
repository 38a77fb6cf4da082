SELECT id FROM @pabal_outbox WHERE status = 'STARTED' AND way = 1 ORDER BY id LIMIT $1
