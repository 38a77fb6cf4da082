-- Why the table $1 cannot be rebuilt beside itself: what a copy would not have,
-- or what would stay with the old table when the two are swapped.
SELECT reason FROM pg_class AS c, LATERAL (
    SELECT 'it is not an ordinary table' AS reason WHERE c.relkind <> 'r'
    UNION ALL SELECT 'it is a temporary table' WHERE c.relpersistence = 't'
    UNION ALL SELECT 'it is a part of a partitioned or inherited table' WHERE c.relispartition
        OR EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent))
    UNION ALL SELECT 'it has row level security' WHERE c.relrowsecurity
    UNION ALL SELECT 'it has a replica identity of its own' WHERE c.relkind = 'r' AND c.relreplident <> 'd'
    UNION ALL SELECT 'a column has privileges of its own'
        WHERE EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL)
    UNION ALL SELECT 'it has the foreign key ' || conname FROM pg_constraint WHERE conrelid = c.oid AND contype = 'f'
    UNION ALL SELECT 'the foreign key ' || conname || ' of ' || conrelid::regclass || ' refers to it'
        FROM pg_constraint WHERE confrelid = c.oid AND contype = 'f' AND conrelid <> c.oid
    UNION ALL SELECT 'it has the trigger ' || tgname FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal
    UNION ALL SELECT 'the view ' || r.ev_class::regclass || ' reads it' FROM pg_depend AS d
        JOIN pg_rewrite AS r ON r.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
            AND r.ev_class <> c.oid
    UNION ALL SELECT 'it has the rule ' || rulename FROM pg_rewrite WHERE ev_class = c.oid AND c.relkind = 'r'
    UNION ALL SELECT 'the publication ' || p.pubname || ' has it' FROM pg_publication_rel AS r
        JOIN pg_publication AS p ON p.oid = r.prpubid WHERE r.prrelid = c.oid
) AS found
WHERE c.oid = $1::text::regclass ORDER BY reason LIMIT 1
