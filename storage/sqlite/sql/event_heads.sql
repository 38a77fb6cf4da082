-- Where entities stand; $1 are their ids.
SELECT wanted.key, e.seq_nr, e.db_timestamp
FROM json_each($1) AS wanted CROSS JOIN event_journal AS e
WHERE e.persistence_id = wanted.value
    AND e.seq_nr = (SELECT max(seq_nr) FROM event_journal WHERE persistence_id = wanted.value)
