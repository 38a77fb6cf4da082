-- For the rest of the transaction: a plan that is kept while a table grows must not
-- be one for the few rows it had.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)
