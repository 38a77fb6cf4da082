-- The limit makes it one look into the primary key for each, whatever the table's
-- statistics say.
SELECT w.n, j.db_timestamp
FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS w(persistence_id, seq_nr, n), LATERAL (
    SELECT db_timestamp FROM @event_journal WHERE persistence_id = w.persistence_id AND seq_nr = w.seq_nr LIMIT 1
) AS j
