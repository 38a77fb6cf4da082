package debezium

import "github.com/pabal-dev/pabal/connect/config"

// CommonKeys are the options of all connectors, with Debezium's defaults. A connector replaces
// those that it has otherwise with Definition.With.
func CommonKeys() []config.Key {
	var all []config.Key
	for _, some := range [][]config.Key{topicKeys(), eventKeys(), queueKeys(), snapshotKeys(), signalKeys(), LineageKeys()} {
		all = append(all, some...)
	}
	return all
}

// CommonPatterns are options that CommonKeys does not list by name: those of clients of Kafka that
// Debezium starts and we do not need.
func CommonPatterns() []string { return []string{"signal.consumer.*"} }

func topicKeys() []config.Key {
	prefix := text("topic.prefix", "", config.High,
		"The name of the database in the names of topics, which begin with it, and of schemas. It must not be changed later, nor shared by connectors.")
	prefix.Required, prefix.Check = true, validTopic
	delimiter := text("topic.delimiter", ".", config.Low, "What stands between the parts of a topic's name.")
	delimiter.Check = validTopic
	heartbeat := text("topic.heartbeat.prefix", "__debezium-heartbeat", config.Low,
		"The topic of heartbeats has this name, the delimiter and topic.prefix.")
	heartbeat.Check = validTopic
	whole := text("topic.heartbeat.name", "", config.Low, "The whole name of the topic of heartbeats, instead of one with topic.prefix.")
	whole.Check = validTopicOrEmpty
	transaction := text("topic.transaction", "transaction", config.Low,
		"The topic of transactions' begins and ends has topic.prefix, the delimiter and this name.")
	transaction.Check = validTopic
	naming := class("topic.naming.strategy", SchemaStrategy, config.Medium, "Which parts of a table's name are in that of its topic, and what becomes of characters that topics may not have.")
	naming.Check = knownStrategy
	naming.Recommended = strategies
	return []config.Key{
		prefix, delimiter, heartbeat, whole, transaction, naming,
		number("topic.cache.size", config.Int, "10000", config.Low, nil, "Accepted and of no effect: names are not computed again."),
		number("heartbeat.interval.ms", config.Int, "0", config.Medium, notNegative, "How often a heartbeat is written, in milliseconds; 0 is never."),
		text("heartbeat.topics.prefix", "__debezium-heartbeat", config.Low, "The former name of topic.heartbeat.prefix, which is the one that counts."),
		choice("schema.name.adjustment.mode", "none", config.Low,
			"What becomes of characters that Avro does not allow in names of schemas: an underscore (avro), their code (avro_unicode), or nothing (none).", "none", "avro", "avro_unicode"),
		choice("field.name.adjustment.mode", "none", config.Low,
			"What becomes of characters that Avro does not allow in names of fields: an underscore (avro), their code (avro_unicode), or nothing (none).", "none", "avro", "avro_unicode"),
	}
}

func eventKeys() []config.Key {
	skipped := list("skipped.operations", "t", config.Low, "Operations whose records are left out: c, u, d, t, or none.")
	skipped.Check = operations
	tags := list("custom.metric.tags", "", config.Low, "Labels for the connector's metrics: name=value, with commas between.")
	tags.Check = pairs
	const java = "it names a class that runs in a JVM"
	return []config.Key{
		boolean("tombstones.on.delete", "true", config.Medium, "Whether a record without a value follows that of a deletion, so that log compaction removes the key."),
		skipped,
		boolean("skip.messages.without.change", "false", config.Medium, "Whether updates that change no captured column are left out."),
		boolean("provide.transaction.metadata", "false", config.Low, "Whether records tell their place in their transaction, and a topic its begin and end."),
		refused(class("transaction.metadata.factory", "io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory", config.Low, "What makes the records of transactions."), java),
		refused(class("sourceinfo.struct.maker", "", config.Low, "What makes the source block."), java),
		refused(text("converters", "", config.Low, "Names of custom converters of columns."), "custom converters are Java classes"),
		refused(text("post.processors", "", config.Low, "Names of post processors of events."), "post processors are Java classes"),
		boolean("extended.headers.enabled", "true", config.Low, "Whether each record has headers that name its connector, task and run."),
		choice("event.processing.failure.handling.mode", "fail", config.Medium,
			"What becomes of an event that cannot be processed: the task fails (fail), or it is skipped with a warning (warn) or without (skip, ignore).", "fail", "warn", "skip", "ignore"),
		choice("event.converting.failure.handling.mode", "warn", config.Medium,
			"What becomes of a value that does not fit its column's type: the task fails (fail), or null stands for it with a warning (warn) or without (skip).", "fail", "warn", "skip"),
		tags,
	}
}

// sanitized are Debezium's names of options whose values it does not log.
const sanitized = `.*secret$|.*password$|.*sasl\.jaas\.config$|.*basic\.auth\.user\.info|.*registry\.auth\.client-secret|.*credentials\.json$|.*connectionstring$|.*connection\.string$`

func queueKeys() []config.Key {
	return []config.Key{
		number("max.batch.size", config.Int, "2048", config.Medium, positive, "The most records of one batch."),
		number("max.queue.size", config.Int, "8192", config.Medium, positive, "The most records that wait to be written to Kafka; more than max.batch.size."),
		number("max.queue.size.in.bytes", config.Long, "0", config.Medium, notNegative, "The most bytes that wait to be written to Kafka; 0 is what the worker gives the task."),
		refused(text("queue.provider.type", "memory", config.Low, "Where records wait."), "records wait in memory"),
		number("poll.interval.ms", config.Long, "500", config.Medium, positive, "Accepted and of no effect: changes are passed on as they come."),
		number("query.fetch.size", config.Int, "0", config.Medium, notNegative, "The most rows that a query has in memory; 0 leaves it to the connector."),
		number("retriable.restart.connector.wait.ms", config.Long, "10000", config.Low, positive, "How long to wait before what failed is tried again, in milliseconds."),
		number("errors.max.retries", config.Int, "-1", config.Low, nil, "How often what failed is tried again; -1 is without end."),
		number("connection.validation.timeout.ms", config.Long, "60000", config.Low, positive, "How long a validation waits for the database, in milliseconds."),
		number("executor.shutdown.timeout.ms", config.Long, "4000", config.Medium, positive, "How long a task has to stop, in milliseconds."),
		boolean("statistics.metrics.enabled", "true", config.Medium, "Accepted and of no effect: metrics are always there."),
		number("guardrail.collections.max", config.Int, "0", config.Medium, notNegative, "The most tables that may be captured; 0 is any number."),
		choice("guardrail.collections.limit.action", "warn", config.Medium, "Whether more tables than that are a warning (warn) or stop the connector (fail).", "warn", "fail"),
		text("custom.sanitize.pattern", sanitized, config.Low, "Accepted and of no effect: configurations are never logged."),
	}
}

// LineageKeys are those of OpenLineage, which sinks have, too: known, and refused.
func LineageKeys() []config.Key {
	const why = "OpenLineage is not supported"
	off := func(name, def, doc string) config.Key { return refused(text(name, def, config.Low, doc), why) }
	return []config.Key{
		refused(boolean("openlineage.integration.enabled", "false", config.Low, "Whether lineage is told to OpenLineage."), why),
		off("openlineage.integration.config.file.path", "./openlineage.yml", "The client's file."),
		off("openlineage.integration.job.namespace", "", "The job's namespace."),
		off("openlineage.integration.job.description", "Debezium change data capture job", "The job's description."),
		refused(list("openlineage.integration.job.tags", "", config.Low, "The job's tags."), why),
		refused(list("openlineage.integration.job.owners", "", config.Low, "The job's owners."), why),
		off("openlineage.integration.dataset.kafka.bootstrap.servers", "", "Kafka's address in names of data sets."),
	}
}
