-- What GET /orders answers from: a view of the topic order-changed, never of the
-- tables above.
CREATE TABLE order_view (
    id            TEXT   PRIMARY KEY,
    customer_id   TEXT   NOT NULL,
    restaurant_id TEXT   NOT NULL,
    items         TEXT   NOT NULL,
    price         BIGINT NOT NULL,
    status        TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    changed_at    BIGINT NOT NULL
);

CREATE INDEX order_view_customer ON order_view (customer_id, id);
CREATE INDEX order_view_status ON order_view (status, id);
