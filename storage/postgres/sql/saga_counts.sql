SELECT name, status, count(*), min(started) FROM @pabal_saga WHERE number > 0 GROUP BY name, status ORDER BY name, status
