-- Under the outbox's lock: a row that nobody publishes, where what was enqueued before has none. Once a
-- sweeper has removed it, all of that is published.
INSERT INTO @pabal_outbox (id, "time", topic, key, event_id, type, source, correlation_id, causation_id,
    traceparent, content_type, way)
SELECT nextval(@'pabal_outbox_id'), statement_timestamp(), 'pabal.barrier', '', gen_random_uuid(), 'pabal.barrier', '', '', '',
    '', '', 3
WHERE pg_sequence_last_value(@'pabal_outbox_way') = 3
