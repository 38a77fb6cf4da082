package debezium

import "github.com/pabal-dev/pabal/connect/config"

func snapshotKeys() []config.Key {
	const custom = "custom modes are Java classes"
	flag := func(name, doc string) config.Key {
		return boolean("snapshot.mode.configuration.based."+name, "false", config.Medium, "With snapshot.mode=configuration_based: "+doc)
	}
	return []config.Key{
		number("snapshot.delay.ms", config.Long, "0", config.Low, notNegative, "How long to wait before a snapshot begins, in milliseconds."),
		number("streaming.delay.ms", config.Long, "0", config.Low, notNegative, "How long to wait between a snapshot and streaming, in milliseconds."),
		patterns("snapshot.include.collection.list", config.Medium, "Which of the captured tables a snapshot reads; empty is all."),
		number("snapshot.fetch.size", config.Int, "", config.Medium, notNegative, "The most rows that a snapshot has in memory."),
		number("snapshot.max.threads", config.Int, "1", config.Medium, positive, "How many connections a snapshot reads with."),
		number("snapshot.max.threads.multiplier", config.Int, "1", config.Medium, positive, "How many chunks there are per connection for each table."),
		boolean("legacy.snapshot.max.threads", "false", config.Low, "Whether a table is read by one connection only."),
		refused(text("snapshot.mode.custom.name", "", config.Medium, "The name of a custom snapshot mode."), custom),
		refused(text("snapshot.locking.mode.custom.name", "", config.Medium, "The name of a custom locking mode."), custom),
		refused(choice("snapshot.query.mode", "select_all", config.Low, "How a snapshot's queries are made.", "select_all", "custom"), custom),
		refused(text("snapshot.query.mode.custom.name", "", config.Medium, "The name of a custom query mode."), custom),
		flag("snapshot.data", "whether rows are read."),
		flag("snapshot.schema", "whether tables' definitions are read."),
		flag("start.stream", "whether changes are streamed afterwards."),
		flag("snapshot.on.schema.error", "whether definitions are read again where the history of them is missing."),
		flag("snapshot.on.data.error", "whether rows are read again where the stored position is no longer in the log."),
		number("incremental.snapshot.chunk.size", config.Int, "1024", config.Medium, notNegative, "How many rows an incremental snapshot reads at once."),
		refused(boolean("incremental.snapshot.allow.schema.changes", "false", config.Low, "Whether tables may change while an incremental snapshot reads them."), "a chunk whose table changed is always read again"),
		choice("incremental.snapshot.watermarking.strategy", "INSERT_INSERT", config.Low,
			"Whether the end of a chunk is a second row in the table of signals (INSERT_INSERT) or the deletion of the first (INSERT_DELETE).", "INSERT_INSERT", "INSERT_DELETE"),
	}
}

func signalKeys() []config.Key {
	topic := text("notification.sink.topic.name", "", config.High, "The topic of notifications, for the channel sink.")
	topic.Check = validTopicOrEmpty
	signals := list("signal.enabled.channels", "source", config.Medium, "Where signals come from: source (a table), kafka (a topic).")
	signals.Check = channels("source", "kafka")
	notifications := list("notification.enabled.channels", "", config.Medium, "Where notifications go to: sink (a topic), log.")
	notifications.Check = channels("sink", "log")
	return []config.Key{
		list("signal.data.collection", "", config.Medium, "The table that signals are written to, by its full name."),
		number("signal.poll.interval.ms", config.Long, "5000", config.Medium, positive, "Accepted and of no effect: signals are taken as they come."),
		signals,
		text("signal.kafka.topic", "", config.High, "The topic of signals, of one partition; the default is topic.prefix-signal."),
		text("signal.kafka.bootstrap.servers", "", config.High, "The cluster of the topic of signals; the default is the worker's own, with what it is secured by. Another one is secured as signal.consumer.* says."),
		number("signal.kafka.poll.timeout.ms", config.Int, "0", config.Low, notNegative, "Accepted and of no effect: signals are taken as they come."),
		text("signal.kafka.groupId", "kafka-signal", config.Low, "The consumer group that is told which signals were acted on; a connector without a stored offset goes on where it is."),
		refused(text("signal.file", "", config.High, "The file of signals."), "files are not read for signals: use the channels source or kafka"),
		notifications, topic,
	}
}
