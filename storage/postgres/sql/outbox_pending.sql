-- A relay's fresh rows with ids in the ranges $1 to $2, which ascend and leave out what is
-- on its way, without the excluded topics $3 and keys ($4, $5): at most $6 rows
-- and $7 bytes of payload, but always the first. Which is the last is found
-- with ids and lengths only: sorting whole rows takes five times as long. They
-- come in order without a sort, range by range.
WITH excluded AS (
    SELECT x.topic, x.key FROM unnest($4::text[], $5::text[]) AS x(topic, key)
), counted AS (
    SELECT id, row_number() OVER upto AS n, sum(bytes) OVER upto AS bytes
    FROM (
        SELECT o.id, o.bytes FROM unnest($1::bigint[], $2::bigint[]) AS r(low, high), LATERAL (
            SELECT id, octet_length(payload) AS bytes FROM @pabal_outbox
            WHERE id BETWEEN r.low AND r.high AND status = 'STARTED' AND attempts = 0 AND replay = 0 AND way = 0
                AND topic <> ALL ($3::text[]) AND (key = '' OR (topic, key) NOT IN (SELECT topic, key FROM excluded))
            ORDER BY id LIMIT $6
        ) AS o
        ORDER BY o.id LIMIT $6
    ) AS found
    WINDOW upto AS (ORDER BY id ROWS UNBOUNDED PRECEDING)
), last AS (
    SELECT max(id) AS id FROM counted WHERE n = 1 OR coalesce(bytes, 0) <= $7
)
SELECT o.* FROM unnest($1::bigint[], $2::bigint[]) AS r(low, high), LATERAL (
    SELECT id, attempts, replay, next_attempt, "time", topic, key, event_id, type, source, correlation_id,
        causation_id, traceparent, content_type, reason, headers, payload
    FROM @pabal_outbox
    WHERE id BETWEEN r.low AND least(r.high, (SELECT id FROM last))
        AND status = 'STARTED' AND attempts = 0 AND replay = 0 AND way = 0
        AND topic <> ALL ($3::text[]) AND (key = '' OR (topic, key) NOT IN (SELECT topic, key FROM excluded))
    ORDER BY id
) AS o
