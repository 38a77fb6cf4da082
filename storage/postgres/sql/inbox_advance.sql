-- The row's lock makes later claims wait for this transaction.
UPDATE @pabal_inbox_lane SET next_offset = $7
WHERE consumer = $1 AND cluster = $2 AND topic_id = $3 AND partition = $4 AND lane = $5 AND epoch = $6
