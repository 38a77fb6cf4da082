SELECT id FROM @pabal_outbox WHERE status = 'STARTED' AND way IN (1, 3) ORDER BY id LIMIT $1
