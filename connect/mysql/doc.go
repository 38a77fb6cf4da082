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
// These differ from Debezium's records on purpose, or are not there:
//
//   - There is no topic of the history of definitions, and no record of their changes:
//     include.schema.changes=true is refused.
//   - The source block has the thread of the transaction's own BEGIN only, where the server tells it,
//     so that a record is the same after a restart.
//   - The position of an event is its place in the file also for servers that leave it out (MariaDB
//     since 11.4).
//   - JSON columns of MariaDB are text, as the server keeps them.
//   - The year 0 is 0 in the stream as it is in a snapshot.
//   - Incremental snapshots and signals are refused.
//   - What was prepared by XA becomes records when it is prepared, as with Debezium: a rollback later
//     is not told.
package mysql
