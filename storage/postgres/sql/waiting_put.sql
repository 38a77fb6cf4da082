INSERT INTO @pabal_inbox_waiting (consumer, cluster, topic_id, partition, topic, "offset", key, attempts, next,
    parked, headers, value, "timestamp", size, reason)
SELECT $1, $2, $3, $4, $5, w."offset", w.key, w.attempts, w.next, w.parked, w.headers, w.value, w."timestamp", w.size,
    w.reason
FROM unnest($6::bigint[], $7::bytea[], $8::integer[], $9::timestamptz[], $10::boolean[], $11::bytea[], $12::bytea[],
    $13::timestamptz[], $14::bigint[], $15::text[])
    AS w("offset", key, attempts, next, parked, headers, value, "timestamp", size, reason)
ON CONFLICT (consumer, cluster, topic_id, partition, "offset") DO UPDATE
SET topic = excluded.topic, key = excluded.key, attempts = excluded.attempts, next = excluded.next,
    parked = excluded.parked, headers = excluded.headers, value = excluded.value, "timestamp" = excluded."timestamp",
    size = excluded.size, reason = excluded.reason
