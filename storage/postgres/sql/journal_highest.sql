SELECT coalesce((
    SELECT seq_nr FROM @event_journal WHERE persistence_id = w.persistence_id ORDER BY seq_nr DESC LIMIT 1
), 0)
FROM unnest($1::text[]) WITH ORDINALITY AS w(persistence_id, n)
ORDER BY w.n
