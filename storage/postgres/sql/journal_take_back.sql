DELETE FROM @event_journal AS j USING unnest($1::text[], $2::bigint[]) AS e(persistence_id, seq_nr)
WHERE j.persistence_id = e.persistence_id AND j.seq_nr = e.seq_nr
