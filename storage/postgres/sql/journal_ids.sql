-- From one id to the next, without reading the events between. An entity type's
-- ids begin no earlier than its prefix, whatever the collation.
WITH RECURSIVE ids AS (
    (SELECT persistence_id, entity_type FROM @event_journal
    WHERE persistence_id > $2 AND ($1 = '' OR persistence_id >= $1 || '|')
    ORDER BY persistence_id LIMIT 1)
    UNION ALL
    SELECT following.persistence_id, following.entity_type FROM ids, LATERAL (
        SELECT persistence_id, entity_type FROM @event_journal WHERE persistence_id > ids.persistence_id
        ORDER BY persistence_id LIMIT 1
    ) AS following
)
SELECT persistence_id FROM ids WHERE $1 = '' OR entity_type = $1 LIMIT $3
