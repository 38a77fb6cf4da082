INSERT INTO @durable_state (slice, entity_type, persistence_id, revision, db_timestamp, state_ser_id, state_ser_manifest,
    state_payload, tags)
SELECT s.slice, s.entity_type, s.persistence_id, 1, transaction_timestamp(), s.ser_id, s.manifest, s.payload,
    nullif(s.tags, '')::text[]
FROM unnest($1::integer[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::bytea[], $7::text[])
    AS s(slice, entity_type, persistence_id, ser_id, manifest, payload, tags)
WHERE NOT EXISTS (SELECT FROM @durable_state AS d WHERE d.persistence_id = s.persistence_id)
ON CONFLICT (persistence_id, revision) DO NOTHING
RETURNING persistence_id, db_timestamp
