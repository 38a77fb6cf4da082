SELECT count(*) FILTER (WHERE status = 'STARTED'), count(*) FILTER (WHERE status = 'FAILED')
FROM @pabal_outbox WHERE way = ANY ($1::smallint[])
