-- Each rent that was heard of, by its correlation id: COUNTED or CANCELLED. It is what
-- keeps one from being counted twice, or after its cancel.
CREATE TABLE rents (
    id      TEXT   PRIMARY KEY,
    book_no BIGINT NOT NULL,
    status  TEXT   NOT NULL
);

-- How many rents of a book are COUNTED.
CREATE TABLE best_books (
    book_no BIGINT PRIMARY KEY,
    title   TEXT   NOT NULL,
    rents   BIGINT NOT NULL CHECK (rents >= 0)
);
CREATE INDEX best_books_rents ON best_books (rents DESC, book_no);

-- The row that the view's transactions lock first, so that they take turns.
CREATE TABLE turns (
    name  TEXT   PRIMARY KEY,
    taken BIGINT NOT NULL
);
INSERT INTO turns (name, taken) VALUES ('view', 0);
