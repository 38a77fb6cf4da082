CREATE DATABASE IF NOT EXISTS bench;;
DROP TABLE IF EXISTS bench.orders, bench.probes;;
CREATE TABLE bench.orders (
  id bigint PRIMARY KEY,
  customer varchar(40) NOT NULL,
  status varchar(16) NOT NULL,
  amount decimal(12, 2) NOT NULL,
  items int NOT NULL,
  paid tinyint NOT NULL,
  note text,
  ordered timestamp NOT NULL,
  detail varchar(200)
);;
CREATE TABLE bench.probes (id bigint AUTO_INCREMENT PRIMARY KEY);;
CREATE OR REPLACE PROCEDURE bench.changes(transactions int)
BEGIN
  DECLARE last bigint DEFAULT 0;
  WHILE transactions > 0 DO
    START TRANSACTION;
    INSERT INTO bench.orders SELECT last + seq, concat('customer-', (last + seq) % 1000), 'new', ((last + seq) % 100000) / 100,
        (last + seq) % 10 + 1, (last + seq) % 2, concat('please leave the parcel at the door of number ', last + seq), now(),
        json_object('sku', concat('sku-', (last + seq) % 500), 'quantity', (last + seq) % 10)
      FROM seq_1_to_70;
    UPDATE bench.orders SET status = 'paid', amount = amount + 1, paid = 2 WHERE id BETWEEN last + 1 AND last + 20;
    DELETE FROM bench.orders WHERE id BETWEEN last + 61 AND last + 70;
    COMMIT;
    SET last = last + 70, transactions = transactions - 1;
  END WHILE;
END
