UPDATE @pabal_outbox_state
SET lease_holder = $1, lease_token = lease_token + 1,
    lease_until = clock_timestamp() + $2::bigint * interval '1 microsecond'
WHERE lease_until <= clock_timestamp() OR lease_holder = $1
RETURNING lease_token
