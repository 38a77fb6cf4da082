SELECT id FROM @pabal_outbox
WHERE id > $1 AND status = 'STARTED' AND attempts = 0 AND replay = 0 AND way = 0
ORDER BY id LIMIT 1
