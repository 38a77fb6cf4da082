-- Who has transaction $1 open, for people.
SELECT format('process %s%s of %s, database %s: a transaction open since %s (%s)', pid,
    CASE WHEN application_name <> '' THEN format(' (%s)', application_name) ELSE '' END,
    coalesce('user ' || usename, backend_type), coalesce(datname, '(none)'),
    to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), coalesce(state, 'active'))
FROM pg_stat_activity WHERE backend_xid = $1::xid8::xid
UNION ALL
SELECT format('prepared transaction %L of user %s, database %s, since %s', gid, owner, database,
    to_char(prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
FROM pg_prepared_xacts WHERE transaction = $1::xid8::xid
