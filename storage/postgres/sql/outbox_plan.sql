-- For this transaction, read the outbox by its index whatever the statistics say:
-- they are taken when it is empty as often as when it is full, and a plan that
-- sorts or reads it whole would do so for every batch. Compiling is not worth it,
-- and a batch on its way to the history is to stay in memory.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
    set_config('enable_sort', 'off', true), set_config('jit', 'off', true), set_config('work_mem', '16MB', true)
