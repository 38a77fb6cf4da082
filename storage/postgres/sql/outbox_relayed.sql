-- Whether a relay has had this outbox: it stores a position before it publishes, for which it waits for
-- this lock.
SELECT position IS NOT NULL FROM @pabal_outbox_state FOR UPDATE
