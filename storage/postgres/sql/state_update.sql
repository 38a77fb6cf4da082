UPDATE @durable_state AS d SET revision = s.revision,
    db_timestamp = greatest(transaction_timestamp(), d.db_timestamp + interval '1 microsecond'),
    state_ser_id = s.ser_id, state_ser_manifest = s.manifest, state_payload = s.payload, tags = nullif(s.tags, '')::text[]
FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::text[], $5::bytea[], $6::text[])
    AS s(persistence_id, revision, ser_id, manifest, payload, tags)
WHERE d.persistence_id = s.persistence_id AND d.revision = s.revision - 1
RETURNING d.persistence_id, d.db_timestamp
