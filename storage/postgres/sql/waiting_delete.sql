DELETE FROM @pabal_inbox_waiting
WHERE consumer = $1 AND cluster = $2 AND topic_id = $3 AND partition = $4 AND "offset" = $5
