UPDATE @pabal_outbox_state SET lease_until = clock_timestamp() + $3::bigint * interval '1 microsecond'
WHERE lease_token = $1 AND lease_holder = $2
