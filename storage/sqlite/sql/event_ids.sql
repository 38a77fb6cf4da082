-- At most $3 ids from $1 on and before $2 ('': to the end). It goes from id to id,
-- so that an entity's number of events does not matter.
WITH RECURSIVE ids (id) AS (
    SELECT min(persistence_id) FROM event_journal WHERE persistence_id >= $1
    UNION ALL
    SELECT (SELECT min(persistence_id) FROM event_journal WHERE persistence_id > ids.id)
    FROM ids WHERE ids.id IS NOT NULL AND ($2 = '' OR ids.id < $2)
)
SELECT id FROM ids WHERE id IS NOT NULL AND ($2 = '' OR id < $2) LIMIT $3
