SELECT name, id, version, revision, status, state, progress, current, correlation_id, reason, started, changed, ended, due
FROM @pabal_saga_load($1, $2::text[])
