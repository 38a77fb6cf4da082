-- The key has the revision in it: an insert does not see the state that somebody
-- inserted and already updated after the insert's statement began. The statement
-- after it does.
SELECT persistence_id FROM unnest($1::text[]) AS w(persistence_id)
WHERE (SELECT count(*) FROM @durable_state AS d WHERE d.persistence_id = w.persistence_id) > 1
