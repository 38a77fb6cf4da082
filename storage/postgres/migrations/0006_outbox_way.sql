-- Names beginning with @ stand for names in the configured schema.

-- How what is enqueued leaves: 0 is by a relay, 1 by change data capture, 2 by that once a relay has
-- published all that is its own. It is a sequence because a writer that has waited for the outbox's
-- lock must see what its holder changed, and the snapshot of its transaction can be older than that.
CREATE SEQUENCE @pabal_outbox_way MINVALUE 0 START 0;
SELECT setval(@'pabal_outbox_way', 0);

-- The way of each row, as it was when the row was enqueued.
ALTER TABLE @pabal_outbox ADD COLUMN way smallint NOT NULL DEFAULT 0;
