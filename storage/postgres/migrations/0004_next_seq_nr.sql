-- after + 1 where that is the number of the entity's last event, otherwise NULL. What
-- was deleted leaves numbers free that the primary key cannot guard. The key is looked
-- into by index, whatever the statistics of a young table say; being volatile, it sees
-- what its own statement has appended before.
CREATE OR REPLACE FUNCTION @pabal_next_seq_nr(id text, after bigint) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET enable_bitmapscan = off AS
$pabal$ DECLARE last bigint; BEGIN
    SELECT seq_nr INTO last FROM @event_journal WHERE persistence_id = id ORDER BY seq_nr DESC LIMIT 1;
    RETURN CASE WHEN coalesce(last, 0) = after THEN after + 1 END;
END $pabal$;
