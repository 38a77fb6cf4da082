-- An order's saga is kept by the library now. Those that run are handed over to it
-- when the service starts.
CREATE TABLE orders_to_adopt AS SELECT id FROM orders WHERE awaiting <> '';
ALTER TABLE orders DROP COLUMN version;
