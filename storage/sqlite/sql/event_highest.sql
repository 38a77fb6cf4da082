SELECT coalesce((SELECT max(seq_nr) FROM event_journal WHERE persistence_id = wanted.value), 0)
FROM json_each($1) AS wanted ORDER BY wanted.key
