CREATE TABLE customers (
    id         TEXT   PRIMARY KEY,
    username   TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
