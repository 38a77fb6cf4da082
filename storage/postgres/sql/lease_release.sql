UPDATE @pabal_outbox_state SET lease_holder = '', lease_until = '-infinity'
WHERE lease_token = $1 AND lease_holder = $2
