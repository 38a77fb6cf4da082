SELECT last_replay FROM @pabal_outbox_state
