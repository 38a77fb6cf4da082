UPDATE compound SET v = 'new' WHERE a = 1;
UPDATE compound SET a = 10 WHERE a = 1;
UPDATE compound SET b = 'z', v = NULL WHERE a = 2;
DELETE FROM compound WHERE a = 10;
UPDATE whole SET id = id + 100, a = 'moved' WHERE id = 0;
UPDATE whole SET b = NULL;
DELETE FROM whole;
INSERT INTO keyless VALUES (2, 'x');
INSERT INTO keyless_full VALUES (1, 'x'), (2, 'y');
UPDATE keyless_full SET b = 'z' WHERE a = 1;
DELETE FROM keyless_full WHERE a = 2;
INSERT INTO by_index VALUES (1, 'a', 'x'), (2, 'b', 'y');
UPDATE by_index SET v = 'z' WHERE id = 1;
UPDATE by_index SET code = 'c' WHERE id = 2;
UPDATE by_index SET id = 3 WHERE id = 1;
DELETE FROM by_index WHERE code = 'c';
INSERT INTO silent VALUES (1, 'x');
UPDATE large SET small = 1 WHERE id = 0;
UPDATE large SET big = repeat('9876543210', 500), small = 2 WHERE id = 0;
UPDATE large SET id = 1 WHERE id = 0;
INSERT INTO large_full VALUES (1, repeat('0123456789', 500), 1);
UPDATE large_full SET small = 2;
DELETE FROM large_full;
DELETE FROM large;
INSERT INTO generated (a) VALUES (1), (2);
UPDATE generated SET a = 5 WHERE id = 1;
UPDATE "Other"."Odd-Name ä" SET "select" = 'changed', "a.b" = NULL;
DELETE FROM "Other"."Odd-Name ä";
INSERT INTO parts VALUES (3, 'eu', 'x'), (4, 'us', 'y');
UPDATE parts SET v = 'z' WHERE id = 3;
UPDATE parts SET region = 'us' WHERE id = 3;
DELETE FROM parts WHERE id = 4;

BEGIN;
INSERT INTO changing VALUES (1, 'rolled back', 1);
ROLLBACK;

BEGIN;
INSERT INTO changing VALUES (2, 'kept', 1);
SAVEPOINT a;
INSERT INTO changing VALUES (3, 'rolled back', 1);
ROLLBACK TO a;
INSERT INTO changing VALUES (4, 'kept', 1);
SAVEPOINT b;
UPDATE changing SET b = 2 WHERE id = 4;
RELEASE b;
COMMIT;

BEGIN;
INSERT INTO changing VALUES (5, 'same', 1);
UPDATE changing SET b = 2 WHERE id = 5;
UPDATE changing SET b = 3 WHERE id = 5;
DELETE FROM changing WHERE id = 5;
INSERT INTO changing VALUES (5, 'again', 4);
INSERT INTO compound VALUES ('m', 50, 'in the same transaction');
COMMIT;

-- barrier
ALTER TABLE changing ADD COLUMN c TEXT DEFAULT 'new';
INSERT INTO changing VALUES (6, 'x', 1, 'y');
UPDATE changing SET b = 9 WHERE id = 2;
-- barrier
ALTER TABLE changing RENAME COLUMN b TO bee;
INSERT INTO changing VALUES (7, 'x', 1, 'y');
-- barrier
ALTER TABLE changing ALTER COLUMN bee TYPE NUMERIC(8, 2);
INSERT INTO changing VALUES (8, 'x', 1.25, 'y');
-- barrier
ALTER TABLE changing DROP COLUMN a;
INSERT INTO changing VALUES (9, 2.5, 'y');
-- barrier
ALTER TABLE changing ALTER COLUMN c SET NOT NULL, ALTER COLUMN bee SET DEFAULT 3.5;
INSERT INTO changing (id, c) VALUES (10, 'defaults');
-- barrier
BEGIN;
INSERT INTO changing VALUES (11, 1, 'before the change');
ALTER TABLE changing ADD COLUMN d INT[];
INSERT INTO changing VALUES (12, 1, 'after the change', '{1,2}');
COMMIT;
-- barrier
ALTER TYPE mood ADD VALUE 'glad' AFTER 'ok';
INSERT INTO whole VALUES (20, 'a new mood', 1, NULL, 'glad');
CREATE TABLE later (id UUID PRIMARY KEY, v TEXT);
INSERT INTO later VALUES ('6f1a2b3c-0000-4000-8000-123456789abc', 'a table made while running');
-- barrier
ALTER TABLE changing DROP CONSTRAINT changing_pkey, ADD PRIMARY KEY (id, c);
INSERT INTO changing VALUES (13, 1, 'another key', NULL);

INSERT INTO emptied VALUES (1, 'x'), (2, 'y');
INSERT INTO emptied_too VALUES (1, 'x');
TRUNCATE emptied, emptied_too RESTART IDENTITY;
INSERT INTO emptied VALUES (3, 'after');
SELECT pg_logical_emit_message(TRUE, 'hello', 'in a transaction');
SELECT pg_logical_emit_message(FALSE, 'hello', 'alone');
SELECT pg_logical_emit_message(TRUE, 'other', '\x00ff'::bytea);
INSERT INTO bulk SELECT i, 'row ' || i FROM generate_series(1, 3000) i;
UPDATE bulk SET v = v || '!' WHERE id % 3 = 0;
DELETE FROM bulk WHERE id % 5 = 0;
