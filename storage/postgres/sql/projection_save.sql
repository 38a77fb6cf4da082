-- Nothing is stored where the claim $1, $2, $3 is not the last one; later claims
-- wait for this transaction. $4 is the cursor, NULL to leave it.
WITH held AS (
    UPDATE @pabal_projection_range
    SET cursor = coalesce($4::json, cursor), saved = greatest(saved, transaction_timestamp())
    WHERE projection = $1 AND min_slice = $2 AND epoch = $3
    RETURNING projection, min_slice || '-' || max_slice AS key
), stored AS (
    INSERT INTO @projection_timestamp_offset_store (projection_name, projection_key, slice, persistence_id, seq_nr,
        timestamp_offset, timestamp_consumed)
    SELECT held.projection, held.key, o.slice, o.persistence_id, o.seq_nr, o.at, transaction_timestamp()
    FROM held, unnest($5::integer[], $6::text[], $7::bigint[], $8::timestamptz[]) AS o(slice, persistence_id, seq_nr, at)
    ON CONFLICT (slice, projection_name, timestamp_offset, persistence_id, seq_nr) DO UPDATE
    SET projection_key = excluded.projection_key, timestamp_consumed = excluded.timestamp_consumed
)
SELECT count(*) FROM held
