-- Of each entity the highest number up to the given one that has been read: below
-- transaction $3 and not of the ones in $4; of transaction $5 up to ($6, $7); of rows
-- from before the column xid all ($8) or those up to the place $9 to $11. Of what is
-- later than $12 nothing.
SELECT coalesce((
    SELECT j.seq_nr FROM @event_journal AS j
    WHERE j.persistence_id = e.persistence_id AND j.seq_nr <= e.seq_nr AND ($12::timestamptz IS NULL OR j.db_timestamp < $12) AND CASE
        WHEN j.xid IS NULL THEN $8 OR (j.db_timestamp, j.persistence_id COLLATE "C", j.seq_nr) <= ($9::timestamptz, $10::text, $11::bigint)
        WHEN j.xid = $5::xid8 THEN (j.persistence_id COLLATE "C", j.seq_nr) <= ($6::text, $7::bigint)
        ELSE j.xid < $3::xid8 AND j.xid <> ALL ($4::xid8[])
    END
    ORDER BY j.seq_nr DESC LIMIT 1
), 0)
FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS e(persistence_id, seq_nr, n) ORDER BY e.n
