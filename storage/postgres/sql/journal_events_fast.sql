SELECT seq_nr, db_timestamp, event_ser_id, event_ser_manifest, event_payload, writer, adapter_manifest,
    to_json(tags)::text, meta_ser_id, meta_ser_manifest, meta_payload
FROM @event_journal
WHERE persistence_id = $1 AND seq_nr BETWEEN $2 AND $3 AND NOT deleted
ORDER BY seq_nr LIMIT $4
