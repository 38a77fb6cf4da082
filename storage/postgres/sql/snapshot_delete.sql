DELETE FROM @snapshot WHERE persistence_id = $1 AND ($2 = 0 OR seq_nr <= $2)
