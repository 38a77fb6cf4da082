-- Blocks of the index, in the order they were read; data is what encode writes.
CREATE TABLE lens_block (
	id INTEGER PRIMARY KEY,
	events INTEGER NOT NULL,
	first_at INTEGER NOT NULL,
	last_at INTEGER NOT NULL,
	filter BLOB NOT NULL,
	data BLOB NOT NULL
);
-- The next offset to read of each partition.
CREATE TABLE lens_partition (
	topic TEXT NOT NULL,
	partition INTEGER NOT NULL,
	topic_id TEXT NOT NULL,
	next INTEGER NOT NULL,
	PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
-- cluster, gaps and services, as JSON.
CREATE TABLE lens_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
