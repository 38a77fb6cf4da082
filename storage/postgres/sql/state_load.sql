SELECT revision, db_timestamp, state_ser_id, state_ser_manifest, state_payload, to_json(tags)::text
FROM @durable_state WHERE persistence_id = $1 ORDER BY revision DESC LIMIT 1
