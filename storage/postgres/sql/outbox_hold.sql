-- Writers hold the lock shared: now there are none, and those that come wait. They do not wait for
-- long where this cannot have it, nor where its process is frozen.
SELECT set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $1, true),
    pg_advisory_xact_lock(1885430369, @'pabal_outbox'::regclass::oid::int)
