-- At most $5 rows from before the column xid, after the place $6 to $8. No row is
-- added to them.
SELECT xid, persistence_id, seq_nr, db_timestamp, event_ser_id, event_ser_manifest, event_payload,
    deleted, writer, adapter_manifest, tags, meta_ser_id, meta_ser_manifest, meta_payload
FROM @event_journal
WHERE xid IS NULL AND slice BETWEEN $1::integer AND $2::integer AND NOT deleted
    AND ($3::text = '' OR entity_type = $3) AND ($4::text = '' OR $4 = ANY (tags))
    AND (db_timestamp, persistence_id COLLATE "C", seq_nr) > ($6::timestamptz, $7::text, $8::bigint)
ORDER BY db_timestamp, persistence_id COLLATE "C", seq_nr LIMIT $5
