-- Answers with the transaction's time, from which the events' times follow. after is
-- given with a write's first event. The numbers of an entity have no gap above what was
-- deleted: where there is an event at after, and none in the place of the new one, that
-- comes last; where there is none, the NULL fails the statement. journal_by_index comes
-- before it.
WITH appended AS (
    INSERT INTO @event_journal (slice, entity_type, persistence_id, seq_nr, db_timestamp, event_ser_id, event_ser_manifest,
        event_payload, writer, adapter_manifest, tags, meta_ser_id, meta_ser_manifest, meta_payload)
    SELECT e.slice, e.entity_type, e.persistence_id,
        CASE WHEN e.after IS NULL THEN e.seq_nr
            WHEN e.after > 0 THEN (SELECT j.seq_nr + 1 FROM @event_journal AS j WHERE j.persistence_id = e.persistence_id AND j.seq_nr = e.after)
            WHEN (SELECT 1 FROM @event_journal AS j WHERE j.persistence_id = e.persistence_id LIMIT 1) IS NULL THEN e.seq_nr END,
        greatest(transaction_timestamp(), e.not_before), e.ser_id, e.manifest, e.payload, e.writer, '', nullif(e.tags, '')::text[], CASE WHEN e.meta IS NOT NULL THEN e.meta_ser_id END,
        CASE WHEN e.meta IS NOT NULL THEN e.meta_manifest END, e.meta
    FROM unnest($1::integer[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::integer[], $7::text[], $8::bytea[],
        $9::text[], $10::text[], $11::integer[], $12::text[], $13::bytea[], $14::bigint[])
        AS e(slice, entity_type, persistence_id, seq_nr, not_before, ser_id, manifest, payload, writer, tags, meta_ser_id,
            meta_manifest, meta, after)
)
SELECT transaction_timestamp()
