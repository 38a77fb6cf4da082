-- How far a sink has applied each partition to tables of this database.
CREATE TABLE pabal_sink_position (
    sink TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition_number BIGINT NOT NULL,
    next_offset BIGINT NOT NULL,
    PRIMARY KEY (sink, topic, partition_number)
);
