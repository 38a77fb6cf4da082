package debezium

import "github.com/pabal-dev/pabal/connect/config"

// RelationalKeys are the options of connectors of relational databases, on top of CommonKeys.
func RelationalKeys() []config.Key {
	var all []config.Key
	for _, some := range [][]config.Key{listKeys(), valueKeys(), tableSnapshotKeys()} {
		all = append(all, some...)
	}
	return all
}

// RelationalPatterns are options that RelationalKeys cannot list by name.
func RelationalPatterns() []string {
	return []string{
		"column.mask.hash.*", "column.mask.with.*.chars", "column.truncate.to.*.chars", "snapshot.select.statement.overrides.*",
	}
}

func listKeys() []config.Key {
	key := text("message.key.columns", "", config.Medium,
		"Keys of records instead of primary keys: table:column,column;table:column, where tables and columns are regular expressions.")
	key.Check = func(v any) error {
		text, _ := v.(string)
		_, err := readKeyColumns(text)
		return err
	}
	const names = " Regular expressions of full names, with commas between."
	return []config.Key{
		patterns("database.include.list", config.High, "The databases to capture."+names),
		patterns("database.exclude.list", config.Medium, "The databases not to capture."+names),
		patterns("schema.include.list", config.High, "The schemas to capture."+names),
		patterns("schema.exclude.list", config.Medium, "The schemas not to capture."+names),
		patterns("table.include.list", config.High, "The tables to capture."+names),
		patterns("table.exclude.list", config.Medium, "The tables not to capture."+names),
		boolean("table.ignore.builtin", "true", config.Low, "Whether the database's own tables are left out."),
		patterns("column.include.list", config.Medium, "The columns that records have."+names),
		patterns("column.exclude.list", config.Medium, "The columns that records do not have."+names),
		key,
		patterns("column.propagate.source.type", config.Medium, "The columns whose schemas tell their type in the database."+names),
		patterns("datatype.propagate.source.type", config.Medium, "The types of columns whose schemas tell them, as schema.table.type."+names),
		boolean("include.schema.changes", "true", config.Medium, "Whether changes of tables' definitions are written to the topic that topic.prefix names."),
		boolean("include.schema.comments", "false", config.Medium, "Whether schemas have the comments of columns."),
	}
}

func valueKeys() []config.Key {
	return []config.Key{
		choice("decimal.handling.mode", "precise", config.Medium,
			"How numbers with exact digits are written: with all digits as bytes (precise), as text (string) or as floating point (double).", "precise", "string", "double"),
		choice("time.precision.mode", "adaptive", config.Medium,
			"How dates and times are written: by the column's precision (adaptive), the same with times of day in microseconds (adaptive_time_microseconds), as Kafka Connect's types (connect), as text (isostring), or in one unit (microseconds, nanoseconds).",
			"adaptive", "adaptive_time_microseconds", "isostring", "connect", "microseconds", "nanoseconds"),
		choice("binary.handling.mode", "bytes", config.Low, "How bytes are written: as they are (bytes), or as text (base64, base64-url-safe, hex).",
			"bytes", "base64", "base64-url-safe", "hex"),
		text("unavailable.value.placeholder", "__debezium_unavailable_value", config.Medium, "What stands for a value that the database did not tell, such as a large one that an update left as it was."),
	}
}

const mapStorage = "io.debezium.relational.ConcurrentMapTableMappingStorage"

func tableSnapshotKeys() []config.Key {
	return []config.Key{
		text("snapshot.select.statement.overrides", "", config.Medium,
			"Tables that a snapshot reads with a statement of their own, which is under this key, a point and the table's name."),
		number("snapshot.lock.timeout.ms", config.Long, "10000", config.Medium, nil, "How long a snapshot waits for locks of tables, in milliseconds."),
		choice("snapshot.tables.order.by.row.count", "disabled", config.Medium,
			"Whether a snapshot reads the largest table first (descending), last (ascending), or in the order of their names (disabled).", "ascending", "descending", "disabled"),
		refused(class("memory.management.schemas.class", mapStorage, config.Low, "Where schemas of tables are kept."), "they are kept in memory"),
		refused(class("memory.management.tables.class", mapStorage, config.Low, "Where definitions of tables are kept."), "they are kept in memory"),
		text("heartbeat.action.query", "", config.Low, "A statement that each heartbeat runs in the database."),
	}
}
