-- One row per order: the order and its saga. items is JSON as in the topics.
-- awaiting is PAYMENT, APPROVAL, REFUND or empty.
CREATE TABLE orders (
    id              TEXT   PRIMARY KEY,
    customer_id     TEXT   NOT NULL,
    restaurant_id   TEXT   NOT NULL,
    items           TEXT   NOT NULL,
    price           BIGINT NOT NULL CHECK (price > 0),
    status          TEXT   NOT NULL,
    awaiting        TEXT   NOT NULL,
    reason          TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    idempotency_key TEXT   UNIQUE,
    request_hash    TEXT,
    created_at      BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL
);

-- One row per step of an order's saga; version is the order's after it.
CREATE TABLE order_transitions (
    order_id TEXT   NOT NULL,
    version  BIGINT NOT NULL,
    status   TEXT   NOT NULL,
    awaiting TEXT   NOT NULL,
    note     TEXT   NOT NULL,
    cause    TEXT   NOT NULL,
    cause_id TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (order_id, version)
);
