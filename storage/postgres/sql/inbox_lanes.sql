SELECT lane, next_offset, epoch, generation, replay_from, replay_to FROM @pabal_inbox_lane
WHERE consumer = $1 AND cluster = $2 AND topic_id = $3 AND partition = $4
ORDER BY lane FOR UPDATE
