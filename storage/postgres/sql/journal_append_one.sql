-- journal_append for a single event that is not its entity's first, which the server
-- runs faster. The numbers of an entity have no gap above what was deleted: where there
-- is an event before this one, and none in its place, it comes last. Where there is none
-- before it, the NULL fails the statement.
INSERT INTO @event_journal (slice, entity_type, persistence_id, seq_nr, db_timestamp, event_ser_id, event_ser_manifest,
    event_payload, writer, adapter_manifest, tags, meta_ser_id, meta_ser_manifest, meta_payload)
VALUES ($1, $2, $3::text, (SELECT j.seq_nr + 1 FROM @event_journal AS j WHERE j.persistence_id = $3::text AND j.seq_nr = $4::bigint),
    greatest(transaction_timestamp(), $5::timestamptz), $6, $7, $8, $9, '', $10, $11, $12, $13)
RETURNING transaction_timestamp()
