-- For holder $1 until $2, where it is now $3.
UPDATE pabal_outbox_state SET lease_holder = $1, lease_until = $2, lease_token = lease_token + 1
WHERE lease_holder IN ('', $1) OR lease_until <= $3
RETURNING lease_token
