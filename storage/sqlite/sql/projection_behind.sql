-- Entities of which projection $1 has handled more than projection $2, in slices
-- $3 to $4. Where the journal is known ($6), what stands at $5 or before was handled
-- by $2, and what is gone cannot be.
SELECT l.persistence_id FROM projection_timestamp_offset_store AS l
WHERE l.projection_name = $1 AND l.slice BETWEEN $3 AND $4
    AND NOT EXISTS (SELECT 1 FROM projection_timestamp_offset_store AS r
        WHERE r.projection_name = $2 AND r.slice = l.slice AND r.persistence_id = l.persistence_id
            AND (r.timestamp_offset, r.seq_nr) >= (l.timestamp_offset, l.seq_nr))
    AND (NOT $6
        OR EXISTS (SELECT 1 FROM event_journal AS e
            WHERE e.persistence_id = l.persistence_id AND e.seq_nr = l.seq_nr AND e.ordering > $5)
        OR EXISTS (SELECT 1 FROM durable_state AS s
            WHERE s.persistence_id = l.persistence_id AND s.revision >= l.seq_nr AND s.ordering > $5))
LIMIT 1
