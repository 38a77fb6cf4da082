SELECT id, outcome, generation, marked_at FROM @pabal_inbox
WHERE consumer = $1 AND id = ANY ($2::text[]) ORDER BY id COLLATE "C"
