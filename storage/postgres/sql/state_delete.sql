DELETE FROM @durable_state AS d USING unnest($1::text[], $2::bigint[]) AS s(persistence_id, revision)
WHERE d.persistence_id = s.persistence_id AND d.revision = s.revision - 1
RETURNING d.persistence_id, transaction_timestamp()
