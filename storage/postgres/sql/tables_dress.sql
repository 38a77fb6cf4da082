-- What CREATE TABLE (LIKE) leaves out, as statements for the copy $2 of $1: storage
-- parameters, owner and privileges.
SELECT statement FROM pg_class AS c, LATERAL (
    SELECT 1 AS place, format('ALTER TABLE %s SET (%s)', $2::text,
        (SELECT string_agg(format('%I = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ')
            FROM unnest(c.reloptions) AS o)) AS statement
    WHERE c.reloptions IS NOT NULL
    UNION ALL SELECT 2, format('GRANT %s ON %s TO %s%s', a.privilege_type, $2::text,
        CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
        CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM aclexplode(c.relacl) AS a WHERE a.grantee <> c.relowner
    UNION ALL SELECT 3, format('ALTER TABLE %s OWNER TO %I', $2::text, pg_get_userbyid(c.relowner))
    WHERE pg_get_userbyid(c.relowner) <> current_user
) AS found
WHERE c.oid = $1::text::regclass ORDER BY place
