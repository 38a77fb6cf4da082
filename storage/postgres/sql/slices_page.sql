-- At most $7 rows of the transactions in the ranges $1 to $2, range by range,
-- without those that a page before had up to ($9, $10) of transaction $8.
SELECT j.* FROM unnest($1::xid8[], $2::xid8[]) AS s(low, high), LATERAL (
    SELECT xid, persistence_id, seq_nr, db_timestamp, event_ser_id, event_ser_manifest, event_payload,
        deleted, writer, adapter_manifest, tags, meta_ser_id, meta_ser_manifest, meta_payload
    FROM @event_journal
    WHERE xid BETWEEN s.low AND s.high AND slice BETWEEN $3::integer AND $4::integer AND NOT deleted
        AND ($5::text = '' OR entity_type = $5) AND ($6::text = '' OR $6 = ANY (tags))
        AND (xid <> $8::xid8 OR (persistence_id COLLATE "C", seq_nr) > ($9::text, $10::bigint))
    ORDER BY xid, persistence_id COLLATE "C", seq_nr LIMIT $7
) AS j LIMIT $7
