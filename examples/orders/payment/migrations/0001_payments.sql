-- A customer's credit; deposited is the sum of the customer's deposits.
CREATE TABLE credits (
    customer_id TEXT   PRIMARY KEY,
    balance     BIGINT NOT NULL CHECK (balance >= 0),
    deposited   BIGINT NOT NULL CHECK (deposited >= balance),
    created_at  BIGINT NOT NULL
);

CREATE TABLE deposits (
    id          TEXT   PRIMARY KEY,
    customer_id TEXT   NOT NULL,
    amount      BIGINT NOT NULL CHECK (amount > 0),
    created_at  BIGINT NOT NULL
);

-- One row per order that payment was asked about, for ever.
CREATE TABLE payments (
    order_id    TEXT   PRIMARY KEY,
    customer_id TEXT   NOT NULL,
    price       BIGINT NOT NULL,
    taken       BIGINT NOT NULL CHECK (taken >= 0),
    refunded    BIGINT NOT NULL CHECK (refunded = 0 OR refunded = taken),
    status      TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL
);

-- The row that the consumer's transactions lock first, so that they take turns.
CREATE TABLE turns (
    name  TEXT   PRIMARY KEY,
    taken BIGINT NOT NULL
);
INSERT INTO turns (name, taken) VALUES ('consumer', 0);
