UPDATE @pabal_outbox_state SET bound_system = $3, bound_cluster = $4 WHERE lease_token = $1 AND lease_holder = $2
