-- How many rows slices_page and slices_before have to read, up to $7.
SELECT count(*) FROM (
    SELECT FROM unnest($1::xid8[], $2::xid8[]) AS s(low, high), LATERAL (
        SELECT FROM @event_journal
        WHERE xid BETWEEN s.low AND s.high AND slice BETWEEN $3::integer AND $4::integer AND NOT deleted
            AND ($5::text = '' OR entity_type = $5) AND ($6::text = '' OR $6 = ANY (tags))
            AND (xid <> $8::xid8 OR (persistence_id COLLATE "C", seq_nr) > ($9::text, $10::bigint))
        LIMIT $7
    ) AS j
    UNION ALL (
        SELECT FROM @event_journal
        WHERE xid IS NULL AND slice BETWEEN $3 AND $4 AND NOT deleted
            AND ($5 = '' OR entity_type = $5) AND ($6 = '' OR $6 = ANY (tags))
            AND $11 AND (db_timestamp, persistence_id COLLATE "C", seq_nr) > ($12::timestamptz, $13::text, $14::bigint)
        LIMIT $7
    )
    LIMIT $7
) AS rows
