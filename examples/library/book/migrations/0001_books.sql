-- A book and who holds it. holder is the member, rental_id the rent (its correlation
-- id) by which; both are empty unless it is UNAVAILABLE.
CREATE TABLE books (
    no         BIGINT PRIMARY KEY,
    title      TEXT   NOT NULL,
    author     TEXT   NOT NULL,
    isbn       TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    holder     TEXT   NOT NULL,
    rental_id  TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    CHECK ((status = 'UNAVAILABLE') = (holder <> '') AND (holder = '') = (rental_id = ''))
);

-- What was done of each business transaction, for ever: one row per correlation id and
-- kind (RENT, RETURN). status is DONE, REFUSED or CANCELLED; a CANCELLED one with
-- book_no 0 was cancelled before it came.
CREATE TABLE book_steps (
    id         TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    book_no    BIGINT NOT NULL,
    member_id  TEXT   NOT NULL,
    rental_id  TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (id, kind)
);

CREATE TABLE ids (
    name    TEXT   PRIMARY KEY,
    last_id BIGINT NOT NULL
);
INSERT INTO ids (name, last_id) VALUES ('books', 0);

-- The row that the consumer's transactions lock first, so that they take turns.
CREATE TABLE turns (
    name  TEXT   PRIMARY KEY,
    taken BIGINT NOT NULL
);
INSERT INTO turns (name, taken) VALUES ('consumer', 0);
