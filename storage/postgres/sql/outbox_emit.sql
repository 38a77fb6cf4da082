-- As outbox_insert, where the way out is the log alone. The prefix is the table's name.
WITH locked AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(1885430369, @'pabal_outbox'::regclass::oid::int)
), way AS MATERIALIZED (
    SELECT pg_sequence_last_value(@'pabal_outbox_way') AS now FROM locked
), prefix AS MATERIALIZED (
    SELECT n.nspname || '.' || c.relname AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = @'pabal_outbox'::regclass
)
SELECT pg_logical_emit_message(true, o.name, o.content)
FROM (
    SELECT prefix.name, m.content FROM way, prefix, unnest($1::bytea[]) WITH ORDINALITY AS m(content, n)
    WHERE way.now = 3
    ORDER BY m.n
) AS o
