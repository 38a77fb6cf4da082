-- For this transaction: a search ends soon, and is planned for what it asks.
SELECT set_config('statement_timeout', $1, true), set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('jit', 'off', true)
