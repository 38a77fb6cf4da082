// Package postgres is the source of changes in PostgreSQL, by the class name and options of
// Debezium's connector: a snapshot of the tables, and then every change that the database's logical
// replication (pgoutput) tells, in the order of commits.
//
// A task has one replication slot. The server keeps its log for the slot until what the log says
// is in Kafka; the slot is never let go further than the position that is stored. So a slot that is
// further than the stored position was made again or moved by others, changes are missing, and the
// task says so instead of going on: see Check of the options offset.mismatch.strategy and
// snapshot.mode=when_needed.
//
// The same goes for a server with another history (its system identifier, and where the timeline
// branched off), for a publication that was dropped or made again, and for tables, and schemas of them,
// that were taken out of it: all of that is stored with the position. Only a copy of the server's files that was put back
// without recovery, and written to until it is beyond the stored position, looks like the server.
//
// A restart goes on at the very record. Transactions come whole and in the order of their commits,
// whatever the order of their changes in the log: the stored position is the end of the last whole
// transaction, and in the one that follows the last change, and how many changes of the same place.
//
// A snapshot that was interrupted goes on, too. The tables and keys that were read are in the
// stored position. The changes since then are streamed up to a new consistent point, those of rows
// that were not read yet are left out, and the remaining rows are read as of that point. A consumer
// sees each row once, as if the snapshot had never stopped. The database itself compares keys, by
// what the server sent and each column's collation. A table whose rows cannot be told so begins anew,
// with a word in the log: it has no primary key, another one than before, or a replica identity that
// does not tell it. What was deleted from it since is told.
//
// A row in the table of signals (signal.data.collection), or a record of the topic of signals
// (signal.kafka.topic), starts an incremental snapshot, which reads tables in chunks beside the
// stream, or stops, pauses or resumes it, or logs a message. What a signal brings about is stored
// with its place in the stream or topic: it counts exactly once, but for messages, which may be
// logged again. Incremental snapshots need the table also where signals come by the topic, for the
// marks around their chunks.
//
// A blocking snapshot stops the stream: that comes up to a new consistent point, the tables are read
// as of it, and the stream goes on. A restart goes on with the next row; a table without a primary
// key is read from its first row again.
package postgres
