-- As journal_append, but leaves out what cannot come there and says what was not.
INSERT INTO @event_journal (slice, entity_type, persistence_id, seq_nr, db_timestamp, event_ser_id, event_ser_manifest,
    event_payload, writer, adapter_manifest, tags, meta_ser_id, meta_ser_manifest, meta_payload)
SELECT e.slice, e.entity_type, e.persistence_id, e.seq_nr, greatest(transaction_timestamp(), e.not_before), e.ser_id, e.manifest,
    e.payload, e.writer, '', nullif(e.tags, '')::text[], CASE WHEN e.meta IS NOT NULL THEN e.meta_ser_id END,
    CASE WHEN e.meta IS NOT NULL THEN e.meta_manifest END, e.meta
FROM unnest($1::integer[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::integer[], $7::text[], $8::bytea[],
    $9::text[], $10::text[], $11::integer[], $12::text[], $13::bytea[], $14::bigint[])
    AS e(slice, entity_type, persistence_id, seq_nr, not_before, ser_id, manifest, payload, writer, tags, meta_ser_id,
        meta_manifest, meta, after)
WHERE e.after IS NULL OR @pabal_next_seq_nr(e.persistence_id, e.after) IS NOT NULL
ON CONFLICT (persistence_id, seq_nr) DO NOTHING
RETURNING persistence_id, seq_nr, db_timestamp
