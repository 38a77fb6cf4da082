-- Where entities stand; $1 are their ids.
SELECT wanted.key, s.revision, s.db_timestamp
FROM json_each($1) AS wanted CROSS JOIN durable_state AS s
WHERE s.persistence_id = wanted.value
