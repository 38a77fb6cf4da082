-- Of rows found in the outbox ($1), and in the history ($2, $3).
SELECT id, headers, payload FROM @pabal_outbox WHERE id = ANY ($1::bigint[])
UNION ALL
SELECT h.id, h.headers, h.payload FROM unnest($2::timestamptz[], $3::bigint[]) AS found(published_at, id)
JOIN @pabal_outbox_history AS h USING (published_at, id)
