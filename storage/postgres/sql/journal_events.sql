-- At most $4 rows and $5 bytes of payload, but always the first.
SELECT seq_nr, db_timestamp, event_ser_id, event_ser_manifest, event_payload, writer, adapter_manifest,
    to_json(tags)::text, meta_ser_id, meta_ser_manifest, meta_payload
FROM (
    SELECT *, sum(octet_length(event_payload) + coalesce(octet_length(meta_payload), 0)) OVER upto AS bytes,
        row_number() OVER upto AS n
    FROM (
        SELECT * FROM @event_journal
        WHERE persistence_id = $1 AND seq_nr BETWEEN $2 AND $3 AND NOT deleted
        ORDER BY seq_nr LIMIT $4
    ) AS page
    WINDOW upto AS (ORDER BY seq_nr ROWS UNBOUNDED PRECEDING)
) AS counted
WHERE n = 1 OR bytes <= $5
ORDER BY seq_nr
