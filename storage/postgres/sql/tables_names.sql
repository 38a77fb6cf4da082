-- Names that belong to a table and are taken from it, in pairs of one of $1 and
-- its like of the copy $2: indexes, with the constraints they are for, and sequences
-- of identity columns.
WITH named AS (
    SELECT i.indrelid AS tab, 'INDEX' AS kind, i.indexrelid AS oid, x.relname AS name,
        concat_ws(' ', i.indisunique, i.indisprimary, i.indisexclusion, k.deferrable,
            substr(d.definition, strpos(d.definition, ' USING '))) AS likeness
    FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
    CROSS JOIN LATERAL (
        -- Behind the index's name, which may be like anything.
        SELECT substr(t.text, strpos(t.text, quote_ident(x.relname)) + length(quote_ident(x.relname))) AS definition
        FROM pg_get_indexdef(i.indexrelid) AS t(text)
    ) AS d
    LEFT JOIN (SELECT conindid, conrelid, concat(condeferrable, condeferred) AS deferrable FROM pg_constraint
        WHERE contype IN ('p', 'u', 'x')) AS k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid
    UNION ALL
    SELECT d.refobjid, 'SEQUENCE', s.oid, s.relname, d.refobjsubid::text
    FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i'
), counted AS (
    SELECT *, row_number() OVER (PARTITION BY tab, kind, likeness ORDER BY oid) AS nth FROM named
)
SELECT coalesce(a.kind, b.kind), coalesce(a.name, ''), coalesce(b.name, '')
FROM (SELECT * FROM counted WHERE tab = $1::text::regclass) AS a
FULL JOIN (SELECT * FROM counted WHERE tab = $2::text::regclass) AS b USING (kind, likeness, nth)
ORDER BY 1, 2, 3
