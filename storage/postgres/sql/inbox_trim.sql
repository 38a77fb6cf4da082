DELETE FROM @pabal_inbox WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM @pabal_inbox WHERE marked_at < $1 ORDER BY marked_at LIMIT $2))
