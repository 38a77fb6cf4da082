-- Numbers that were given out as ids, in blocks.
CREATE TABLE ids (
    name     TEXT   PRIMARY KEY,
    last_id  BIGINT NOT NULL
);
INSERT INTO ids (name, last_id) VALUES ('reservations', 0);

-- One row per reservation. check_in and check_out are dates, such as 2026-11-20.
CREATE TABLE reservations (
    id         BIGINT PRIMARY KEY,
    room_id    BIGINT NOT NULL,
    member_id  BIGINT NOT NULL,
    check_in   TEXT   NOT NULL,
    check_out  TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
