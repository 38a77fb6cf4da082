-- A member's card. status is RENT_AVAILABLE or RENT_UNAVAILABLE.
CREATE TABLE rental_cards (
    member_id  TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL,
    late_fee   BIGINT NOT NULL CHECK (late_fee >= 0),
    status     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Rents, by their correlation id: RENTING -> RENTED -> RETURNING -> RETURNED, and
-- RENTING -> CANCELLING -> CANCELLED. return_id is the return under way, or the one
-- that ended it; late_fee is what that one cost. overdue is 1 from when it was noticed.
CREATE TABLE rentals (
    id          TEXT   PRIMARY KEY,
    member_id   TEXT   NOT NULL REFERENCES rental_cards (member_id),
    item_no     BIGINT NOT NULL,
    title       TEXT   NOT NULL,
    status      TEXT   NOT NULL,
    rented_at   BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    overdue     BIGINT NOT NULL,
    return_id   TEXT   NOT NULL,
    returned_at BIGINT NOT NULL,
    late_fee    BIGINT NOT NULL CHECK (late_fee >= 0),
    changed_at  BIGINT NOT NULL
);
CREATE INDEX rentals_open ON rentals (member_id, rented_at)
    WHERE status IN ('RENTING', 'RENTED', 'RETURNING', 'CANCELLING');

-- Returns, by their correlation id: PENDING -> DONE or UNDONE.
CREATE TABLE returns (
    id         TEXT   PRIMARY KEY,
    rental_id  TEXT   NOT NULL REFERENCES rentals (id),
    member_id  TEXT   NOT NULL,
    late_fee   BIGINT NOT NULL,
    status     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Late fees paid with points, by their correlation id: PENDING -> DONE or UNDONE.
CREATE TABLE clearings (
    id         TEXT   PRIMARY KEY,
    member_id  TEXT   NOT NULL REFERENCES rental_cards (member_id),
    point      BIGINT NOT NULL CHECK (point > 0),
    status     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX clearings_pending ON clearings (member_id) WHERE status = 'PENDING';
