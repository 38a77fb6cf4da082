// Package sql stores the records of topics in tables of PostgreSQL, MariaDB or MySQL, under the class names of
// Debezium's JDBC sink connector (Sink) and of Confluent's (ConfluentSink). Both take changes of
// Debezium's relational sources and flat records; records need schemas.
//
// # What becomes of a record
//
//   - A change or a flat record is a row: inserted, upserted or updated as insert.mode says.
//   - A change of operation d, or a record without a value, deletes the row of its key.
//   - Tables are created, and columns added, where the configuration allows it.
//
// The records of a batch are written in one transaction, many rows with one statement. With upsert
// and a primary key only the last change of a row in the batch is written, and a batch that comes
// again changes nothing; insert stores it twice where the table has no key.
//
// Values go to the server as text and are cast to the type that the column has, so that a table
// made by hand may have other types than those that the sink would choose.
//
// On MariaDB and MySQL an upsert goes by any unique index of the table, as INSERT … ON DUPLICATE KEY
// UPDATE does; the statements of a batch are sent one after the other.
//
// # Differences on purpose
//
//   - A column whose value is Debezium's placeholder for one that was not in the log, as large ones
//     of PostgreSQL are, is left as it is; Debezium's sink stores the placeholder.
//   - VariableScaleDecimal becomes numeric, not double precision, which loses digits; maps and
//     structs become jsonb, or hstore where the column is one.
//   - A column that is added later may be null where it has no default, since rows are there already.
//   - On MariaDB and MySQL the session is strict: what does not fit a column is refused. A truncation
//     deletes all rows, because TRUNCATE would end the transaction.
//   - Columns that the target generates are left to it.
//   - insert.mode=update without a key is refused: it would overwrite all rows with each record.
package sql
