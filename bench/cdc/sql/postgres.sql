DROP PUBLICATION IF EXISTS bench;
DROP TABLE IF EXISTS orders, probes CASCADE;

CREATE TABLE orders (
  id bigint PRIMARY KEY,
  customer text NOT NULL,
  status varchar(16) NOT NULL,
  amount numeric(12, 2) NOT NULL,
  items integer NOT NULL,
  paid boolean NOT NULL,
  note text,
  ordered timestamptz NOT NULL,
  detail jsonb
);
CREATE TABLE probes (id bigserial PRIMARY KEY);
CREATE PUBLICATION bench FOR TABLE orders, probes;

CREATE OR REPLACE FUNCTION new_orders(first bigint, last bigint) RETURNS SETOF orders LANGUAGE sql AS $$
  SELECT i, 'customer-' || i % 1000, 'new', (i % 100000) / 100.0, i % 10 + 1, i % 2 = 0,
         'please leave the parcel at the door of number ' || i, clock_timestamp(),
         jsonb_build_object('sku', 'sku-' || i % 500, 'quantity', i % 10)
  FROM generate_series(first, last) AS i
$$;

-- Transactions of 70 inserts, 20 updates and 10 deletions.
CREATE OR REPLACE PROCEDURE change(transactions integer) LANGUAGE plpgsql AS $$
DECLARE
  last bigint := 0;
BEGIN
  SET synchronous_commit = off;
  FOR t IN 1..transactions LOOP
    INSERT INTO orders SELECT * FROM new_orders(last + 1, last + 70);
    UPDATE orders SET status = 'paid', amount = amount + 1, paid = true WHERE id BETWEEN last + 1 AND last + 20;
    DELETE FROM orders WHERE id BETWEEN last + 61 AND last + 70;
    COMMIT;
    last := last + 70;
  END LOOP;
END
$$;
