CREATE TABLE box_plain (id VARCHAR(36) PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL, aggregateid VARCHAR(255) NOT NULL, type VARCHAR(255) NOT NULL, payload JSON);
CREATE TABLE box_headers (id BIGINT PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL, aggregateid VARCHAR(255) NOT NULL, type VARCHAR(255) NOT NULL, payload $BYTES,
  tenant INT, at $DATETIME, price NUMERIC(8, 2), day DATE, flag BOOLEAN, meta JSON, raw $BYTES);
CREATE TABLE box_envelope (id INT PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL, aggregateid INT, type VARCHAR(255) NOT NULL, payload TEXT, tenant INT, at $DATETIME, version INT NOT NULL);
CREATE TABLE box_expanded (id INT PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL, aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL, payload TEXT);
CREATE TABLE box_nulls (id INT PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL, aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL, payload TEXT);
CREATE TABLE box_routed (code INT PRIMARY KEY, kind VARCHAR(255) NOT NULL, ref BIGINT, body TEXT);
INSERT INTO box_plain VALUES ('e0', 'Plain', 'p-0', 'Created', '{"there": "before"}');
INSERT INTO box_routed VALUES (0, 'Routed-Created', 1, 'there before')
