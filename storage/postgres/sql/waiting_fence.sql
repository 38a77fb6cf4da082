UPDATE @pabal_inbox_lane AS l SET epoch = l.epoch + 1
WHERE l.consumer = $1 AND (l.cluster, l.topic_id, l.partition) IN (
    SELECT w.cluster, w.topic_id, w.partition FROM @pabal_inbox_waiting AS w
    WHERE w.consumer = $1 AND w.topic = $2 AND w.key = $3 AND w.parked)
