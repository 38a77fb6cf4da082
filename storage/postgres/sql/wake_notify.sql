SELECT pg_notify('pabal_outbox_' || @'pabal_outbox'::regclass::oid::text, $1)
