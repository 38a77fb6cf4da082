CREATE TABLE members (
    no         BIGINT PRIMARY KEY,
    id         TEXT   NOT NULL UNIQUE,
    name       TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    points     BIGINT NOT NULL CHECK (points >= 0),
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- What a business transaction did to a member's points, for ever: one row per
-- correlation id and kind (RENT, RETURN, OVERDUE, POINT_USE). points is what it gives,
-- below 0 what it takes; status is DONE, REFUSED or CANCELLED, and only DONE counts. A
-- CANCELLED one with 0 points was cancelled before it came.
CREATE TABLE point_entries (
    id         TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    member_id  TEXT   NOT NULL,
    points     BIGINT NOT NULL,
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
INSERT INTO ids (name, last_id) VALUES ('members', 0);

-- The row that the consumer's transactions lock first, so that they take turns.
CREATE TABLE turns (
    name  TEXT   PRIMARY KEY,
    taken BIGINT NOT NULL
);
INSERT INTO turns (name, taken) VALUES ('consumer', 0);
