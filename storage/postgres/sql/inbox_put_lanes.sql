-- All lanes of a partition, in order from 0.
INSERT INTO @pabal_inbox_lane (consumer, cluster, topic_id, partition, topic, lane, next_offset, epoch, generation,
    replay_from, replay_to)
SELECT $1, $2, $3, $4, $5, l.n - 1, l.next, $7, $8, $9, $10 FROM unnest($6::bigint[]) WITH ORDINALITY AS l(next, n)
ON CONFLICT (consumer, cluster, topic_id, partition, lane) DO UPDATE
SET topic = excluded.topic, next_offset = excluded.next_offset, epoch = excluded.epoch,
    generation = excluded.generation, replay_from = excluded.replay_from, replay_to = excluded.replay_to
