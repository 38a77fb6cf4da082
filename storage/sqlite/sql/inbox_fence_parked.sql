-- Fences the owners of partitions in which the key $3 of topic $2 is parked.
UPDATE pabal_inbox_lane SET epoch = epoch + 1
WHERE consumer = $1 AND (cluster, topic_id, partition) IN (
    SELECT cluster, topic_id, partition FROM pabal_inbox_waiting WHERE parked AND consumer = $1 AND topic = $2 AND key = $3)
