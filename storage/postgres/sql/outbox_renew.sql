UPDATE @pabal_outbox_state SET outbox = gen_random_uuid(), position = NULL
