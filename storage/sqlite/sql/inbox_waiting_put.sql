INSERT OR REPLACE INTO pabal_inbox_waiting (
    consumer, cluster, topic_id, partition, offset, attempts, parked, next, timestamp, size, topic, key, reason, headers, value
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
