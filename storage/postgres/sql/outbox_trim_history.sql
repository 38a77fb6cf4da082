DELETE FROM @pabal_outbox_history WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM @pabal_outbox_history WHERE published_at < $1 ORDER BY published_at, id LIMIT $2))
