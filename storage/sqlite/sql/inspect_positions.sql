SELECT cluster, topic_id, topic, partition, json_group_array(next_offset ORDER BY lane), max(epoch), max(generation),
    max(replay_from), max(replay_to)
FROM pabal_inbox_lane WHERE consumer = $1
GROUP BY cluster, topic_id, topic, partition
ORDER BY topic, partition, cluster, topic_id
