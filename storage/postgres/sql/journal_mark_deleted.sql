-- Turns the event into a marker in its place, so that its time and its transaction
-- stay, or puts one where a row was missing. Answers whether there was an event.
WITH before AS (
    SELECT deleted FROM @event_journal WHERE persistence_id = $3 AND seq_nr = $4
), marked AS (
    INSERT INTO @event_journal (slice, entity_type, persistence_id, seq_nr, db_timestamp, event_ser_id, event_ser_manifest,
        event_payload, deleted, writer, adapter_manifest)
    VALUES ($1, $2, $3, $4, transaction_timestamp(), 0, '', '', true, '', '')
    ON CONFLICT (persistence_id, seq_nr) DO UPDATE SET event_ser_id = 0, event_ser_manifest = '', event_payload = '',
        deleted = true, writer = '', adapter_manifest = '', tags = NULL, meta_ser_id = NULL, meta_ser_manifest = NULL,
        meta_payload = NULL
)
SELECT count(*) FILTER (WHERE NOT deleted) FROM before
