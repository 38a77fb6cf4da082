-- The sequence and what has been done to rows count together: nobody can end one of them between these
-- statements, but a crash of the server, after which rows that wait are taken by the next who looks.
SELECT setval(@'pabal_outbox_way', $1); COMMIT
