SELECT pg_sequence_last_value(@'pabal_outbox_way')
