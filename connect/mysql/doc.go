// Package mysql is the source of changes in MariaDB and MySQL, by the class names and options of
// Debezium's connectors: a snapshot of the tables, and then every change that the server's binary
// log tells, in its order.
//
// The server must write rows (binlog_format=ROW, binlog_row_image=FULL). With
// binlog_row_metadata=FULL each change comes with the names and types of its columns; there is no
// history of definitions to keep, and tables may be altered at any time. Without it the columns are
// those that information_schema has when a change is read, which is right as long as tables were not
// altered in between: where their number differs, the task says so and stops.
//
// A restart goes on at the very record: by the global transaction id where the server has those,
// else by file and position. The stored position names the last whole transaction, and in the one
// that follows how many events are done, how many rows of the next, and how many records of the
// next row.
//
// A snapshot that was interrupted goes on with the tables that were not read yet. The changes of the
// others since then are streamed up to a new consistent point first, and the remaining tables are
// read as of that point; a table of which a part was read begins anew.
//
// A position whose log the server has purged is an error, or the begin of a new snapshot with
// snapshot.mode=when_needed.
//
// A row in the table of signals (signal.data.collection), or a record of the topic of signals
// (signal.kafka.topic), starts an incremental snapshot, which reads tables in chunks beside the
// stream, or stops, pauses or resumes it, or logs a message. What a signal brings about is stored
// with its place in the log or topic: it counts exactly once, but for messages, which may be logged
// again. Incremental snapshots write marks into the table: they need the right to INSERT, and are
// refused with read.only. Changes that a foreign key's CASCADE makes are not in the log of InnoDB,
// so that neither the stream nor an incremental snapshot under way knows of them.
//
// A blocking snapshot stops the stream: that comes up to a new consistent point, the tables are read
// by their primary keys as of it, and the stream goes on. A restart goes on with the next row; a table
// without a primary key is read from its first row again.
//
// These differ from Debezium's records on purpose, or are not there:
//
//   - There is no topic of the history of definitions. What include.schema.changes tells of a table is
//     what the server has of it when the statement is read, which may be ahead of the statement, and
//     lengths and defaults are the server's, also where the statement has none.
//   - The source block has the thread of the transaction's own BEGIN only, where the server tells it,
//     so that a record is the same after a restart.
//   - The position of an event is its place in the file also for servers that leave it out (MariaDB
//     since 11.4).
//   - JSON columns of MariaDB are text, as the server keeps them.
//   - The year 0 is 0 in the stream as it is in a snapshot.
//   - The source block of a row that an incremental snapshot read has the place of the transaction
//     that ended its chunk.
//   - What was prepared by XA becomes records when it is prepared, as with Debezium: a rollback later
//     is not told.
package mysql
