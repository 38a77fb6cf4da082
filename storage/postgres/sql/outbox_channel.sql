SELECT 'pabal_outbox_' || @'pabal_outbox'::regclass::oid::text
