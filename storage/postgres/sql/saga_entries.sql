SELECT entries FROM @pabal_saga_entry WHERE saga = $1 ORDER BY revision
