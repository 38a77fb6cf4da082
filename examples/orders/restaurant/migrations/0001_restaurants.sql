CREATE TABLE restaurants (
    id         TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL,
    active     BIGINT NOT NULL CHECK (active IN (0, 1)),
    created_at BIGINT NOT NULL
);

CREATE TABLE products (
    id            TEXT   PRIMARY KEY,
    restaurant_id TEXT   NOT NULL REFERENCES restaurants (id),
    name          TEXT   NOT NULL,
    price         BIGINT NOT NULL CHECK (price > 0),
    initial_stock BIGINT NOT NULL CHECK (initial_stock >= 0),
    stock         BIGINT NOT NULL CHECK (stock >= 0),
    active        BIGINT NOT NULL CHECK (active IN (0, 1)),
    created_at    BIGINT NOT NULL
);
CREATE INDEX products_by_restaurant ON products (restaurant_id);

-- One row per order the restaurant decided about, for ever.
CREATE TABLE approvals (
    order_id      TEXT   PRIMARY KEY,
    restaurant_id TEXT   NOT NULL,
    status        TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    created_at    BIGINT NOT NULL
);

-- What approved orders took, one row per product.
CREATE TABLE approval_items (
    order_id   TEXT   NOT NULL,
    product_id TEXT   NOT NULL,
    quantity   BIGINT NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, product_id)
);

-- The row that the consumer's transactions lock first, so that they take turns.
CREATE TABLE turns (
    name  TEXT   PRIMARY KEY,
    taken BIGINT NOT NULL
);
INSERT INTO turns (name, taken) VALUES ('consumer', 0);
