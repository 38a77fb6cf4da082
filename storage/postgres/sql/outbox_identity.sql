SELECT outbox::text, bound_system, bound_cluster, position FROM @pabal_outbox_state
