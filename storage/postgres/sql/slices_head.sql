-- What this transaction sees, when, of which server process; and for it, read by
-- index and sort one transaction at a time, whatever the statistics say.
SELECT pg_current_snapshot()::text, statement_timestamp(), pg_postmaster_start_time(),
    set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true),
    set_config('jit', 'off', true)
