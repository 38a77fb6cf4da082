SELECT name, id, version, revision, status, state, progress, current, correlation_id, reason, started, changed, ended, due,
    number
FROM @pabal_saga WHERE name = $1 AND id = $2
