-- Rows of %live and %copy without an equal one on the other side, as often as they
-- are there; $1 of each are shown.
WITH only_live AS MATERIALIZED (
    SELECT %columns FROM %live EXCEPT ALL SELECT %columns FROM %copy
), only_copy AS MATERIALIZED (
    SELECT %columns FROM %copy EXCEPT ALL SELECT %columns FROM %live
)
SELECT (SELECT count(*) FROM %live), (SELECT count(*) FROM %copy),
    (SELECT count(*) FROM only_live), (SELECT count(*) FROM only_copy),
    ARRAY(SELECT row_to_json(r)::text FROM only_live AS r ORDER BY 1 LIMIT $1),
    ARRAY(SELECT row_to_json(r)::text FROM only_copy AS r ORDER BY 1 LIMIT $1)
