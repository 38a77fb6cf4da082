// Package debezium is what Debezium's connectors have in common: their options, which tables and
// columns are captured, the names of topics and schemas, the envelope of changes, and which records
// a change becomes. Sources of PostgreSQL, MariaDB and MongoDB build on it; subpackages have the
// logical types of columns (types) and the algorithm of incremental snapshots (incremental).
//
// Names, formats and defaults are those of Debezium 3.6, so that its configurations and consumers
// work unchanged.
package debezium
