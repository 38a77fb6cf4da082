// Package debezium is what Debezium's connectors have in common: their options, which tables and
// columns are captured, the names of topics and schemas, the envelope of changes, which records a
// change becomes, transactions, heartbeats, signals and notifications. Sources of PostgreSQL,
// MariaDB and MongoDB build on it; subpackages have the logical types of columns (types) and the
// algorithm of incremental snapshots (incremental).
//
// Names, formats and defaults are those of Debezium 3.6, so that its configurations and consumers
// work unchanged. These differ on purpose:
//
//   - Regular expressions are those of Go: lookarounds, backreferences, possessive quantifiers and
//     classes within classes are refused by name. \b and [é] ignore the case and kind of letters
//     beyond ASCII in other ways than Java's.
//   - Of the records that one change becomes, all but the last carry the position before the change:
//     a source that is killed between them makes all of them again instead of losing the rest.
//   - The consumer group of the topic of signals has topic.prefix in its name unless it is set, so
//     that connectors do not take one another's signals for read.
//   - Converters, post processors, custom snapshot modes and strategies of naming topics are Java
//     classes, and refused; so are signals from files and JMX, and notifications to JMX.
package debezium
