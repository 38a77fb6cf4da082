-- Numbers that were given out as ids, in blocks.
CREATE TABLE ids (
    name     TEXT   PRIMARY KEY,
    last_id  BIGINT NOT NULL
);
INSERT INTO ids (name, last_id) VALUES ('rooms', 0);

-- capacity is how many there are in a night that is not in the table nights.
CREATE TABLE rooms (
    id         BIGINT PRIMARY KEY,
    name       TEXT   NOT NULL,
    capacity   BIGINT NOT NULL CHECK (capacity >= 0),
    changes    BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- One row per room and night whose stock was ever changed; night is its date, such as
-- 2026-11-20.
CREATE TABLE nights (
    room_id  BIGINT NOT NULL,
    night    TEXT   NOT NULL,
    capacity BIGINT NOT NULL,
    stock    BIGINT NOT NULL CHECK (stock BETWEEN 0 AND capacity),
    PRIMARY KEY (room_id, night)
);

-- One row per reservation that the room service was asked about, for ever. A stay has
-- the nights from check_in until before check_out, while its status is TAKEN.
CREATE TABLE stays (
    reservation_id BIGINT PRIMARY KEY,
    room_id        BIGINT NOT NULL,
    check_in       TEXT   NOT NULL,
    check_out      TEXT   NOT NULL,
    status         TEXT   NOT NULL,
    reason         TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    changed_at     BIGINT NOT NULL
);

-- The row that the consumer's transactions lock first, so that they take turns.
CREATE TABLE turns (
    name  TEXT   PRIMARY KEY,
    taken BIGINT NOT NULL
);
INSERT INTO turns (name, taken) VALUES ('consumer', 0);
