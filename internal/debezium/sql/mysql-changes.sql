UPDATE numbers SET i = 7, d52 = NULL WHERE id = 2;
UPDATE texts SET t = 'changed', bl = x'01' WHERE id IN (2, 3);
UPDATE times SET d = NULL WHERE id = 2;
DELETE FROM numbers WHERE id = 3;
DELETE FROM shapes;
UPDATE compound SET v = 'new' WHERE a = 1;
UPDATE compound SET a = 10 WHERE a = 1;
UPDATE compound SET b = 'z', v = NULL WHERE a = 2;
DELETE FROM compound WHERE a = 10;
INSERT INTO compound VALUES ('x', 3, 'first'), ('y', 4, 'second'), ('z', 5, 'third');
UPDATE compound SET a = a + 100 WHERE a < 10;
INSERT INTO keyless VALUES (1, 'x'), (2, 'y');
UPDATE keyless SET b = 'z' WHERE a = 1;
DELETE FROM keyless WHERE a = 2;
INSERT INTO by_unique VALUES (1, 'a', 'x'), (2, 'b', 'y');
UPDATE by_unique SET b = 'c' WHERE a = 2;
DELETE FROM by_unique WHERE a = 1;
INSERT INTO generated (a) VALUES (1), (2);
UPDATE generated SET a = 5 WHERE id = 1;
INSERT INTO `Odd-Name ä` VALUES (1, 'x');
UPDATE `Odd-Name ä` SET `a.b` = NULL;
DELETE FROM `Odd-Name ä`;
INSERT INTO plain_engine VALUES (1, 'x'), (2, 'y');
DELETE FROM plain_engine WHERE id = 1;
BEGIN;
INSERT INTO changing VALUES (2, 'rolled back', 1);
ROLLBACK;
BEGIN;
INSERT INTO changing VALUES (2, 'kept', 1);
SAVEPOINT a;
INSERT INTO changing VALUES (3, 'rolled back', 1);
ROLLBACK TO a;
INSERT INTO changing VALUES (4, 'kept', 1);
UPDATE changing SET b = 2 WHERE id = 4;
COMMIT;
BEGIN;
INSERT INTO changing VALUES (5, 'same', 1);
UPDATE changing SET b = 2 WHERE id = 5;
DELETE FROM changing WHERE id = 5;
INSERT INTO changing VALUES (5, 'again', 4);
INSERT INTO compound VALUES ('m', 50, 'in the same transaction');
COMMIT;
REPLACE INTO changing VALUES (5, 'replaced', 5);
INSERT INTO changing VALUES (5, 'x', 1) ON DUPLICATE KEY UPDATE b = 6;
-- barrier
ALTER TABLE changing ADD COLUMN c VARCHAR(20) DEFAULT 'new';
INSERT INTO changing VALUES (6, 'x', 1, 'y');
UPDATE changing SET b = 9 WHERE id = 2;
-- barrier
ALTER TABLE changing CHANGE b bee INT;
INSERT INTO changing VALUES (7, 'x', 1, 'y');
-- barrier
ALTER TABLE changing MODIFY bee DECIMAL(8,2);
INSERT INTO changing VALUES (8, 'x', 1.25, 'y');
-- barrier
ALTER TABLE changing DROP COLUMN a;
INSERT INTO changing VALUES (9, 2.5, 'y');
-- barrier
ALTER TABLE changing MODIFY c VARCHAR(20) NOT NULL, ALTER bee SET DEFAULT 3.5;
INSERT INTO changing (id, c) VALUES (10, 'defaults');
-- barrier
ALTER TABLE changing DROP PRIMARY KEY, ADD PRIMARY KEY (id, c);
INSERT INTO changing VALUES (13, 1, 'another key');
-- barrier
CREATE TABLE later (id UUID PRIMARY KEY, v TEXT);
INSERT INTO later VALUES ('6f1a2b3c-0000-4000-8000-123456789abc', 'a table made while running');
-- barrier
RENAME TABLE later TO renamed;
INSERT INTO renamed VALUES ('6f1a2b3c-0000-4000-8000-123456789abd', 'a renamed table');
-- barrier
INSERT INTO emptied VALUES (1, 'x'), (2, 'y');
TRUNCATE TABLE emptied;
INSERT INTO emptied VALUES (3, 'after');
INSERT INTO bulk SELECT seq, CONCAT('row ', seq) FROM seq_1_to_3000;
UPDATE bulk SET v = CONCAT(v, '!') WHERE id % 3 = 0;
DELETE FROM bulk WHERE id % 5 = 0
