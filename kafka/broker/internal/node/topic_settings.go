package node

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const noEffect = " It is kept and shown, and has no effect on this broker."

const forever = "9223372036854775807"

// topicSettings are those of topics.
var topicSettings = newTable([]rule{
	{name: "cleanup.policy", value: "delete", kind: listOf("delete", "compact"), synonym: "log.cleanup.policy",
		doc: "delete removes old segments by age and size, compact keeps the last record of each key; both can be named."},
	{name: "compression.type", value: "producer", kind: only(kmsg.ConfigTypeString, "producer", "batches stay as their producers compressed them"), synonym: "compression.type",
		doc: "How records are compressed: as the producer did."},
	{name: "delete.retention.ms", value: "86400000", kind: atLeast(0), synonym: "log.cleaner.delete.retention.ms",
		doc: "How long tombstones stay in a compacted topic after compaction has seen them."},
	{name: "file.delete.delay.ms", value: "60000", kind: atLeast(0), synonym: "log.segment.delete.delay.ms",
		doc: "How long files stay after their deletion; here until the last reader has read." + noEffect},
	{name: "flush.messages", value: forever, kind: atLeast(1), synonym: "log.flush.interval.messages",
		doc: "After how many records they are synced; the broker's durability decides that." + noEffect},
	{name: "flush.ms", value: forever, kind: atLeast(0), synonym: "log.flush.interval.ms",
		doc: "After how long records are synced; the broker's durability decides that." + noEffect},
	{name: "follower.replication.throttled.replicas", value: "", kind: anyList(),
		doc: "Replicas whose copying is slowed; there is one replica." + noEffect},
	{name: "index.interval.bytes", value: "4096", kind: intAtLeast(0), synonym: "log.index.interval.bytes",
		doc: "How many bytes lie between entries of the offset index." + noEffect},
	{name: "leader.replication.throttled.replicas", value: "", kind: anyList(),
		doc: "Replicas whose copying is slowed; there is one replica." + noEffect},
	{name: "max.compaction.lag.ms", value: forever, kind: atLeast(1), synonym: "log.cleaner.max.compaction.lag.ms",
		doc: "After how long records are compacted, however few they are."},
	{name: "max.message.bytes", value: "1048588", kind: intAtLeast(0), synonym: "message.max.bytes",
		doc: "The most bytes of one record batch, compressed."},
	{name: "message.timestamp.after.max.ms", value: "3600000", kind: atLeast(0), synonym: "log.message.timestamp.after.max.ms",
		doc: "How far a record's timestamp may be ahead of the broker's clock."},
	{name: "message.timestamp.before.max.ms", value: forever, kind: atLeast(0), synonym: "log.message.timestamp.before.max.ms",
		doc: "How far a record's timestamp may be behind the broker's clock."},
	{name: "message.timestamp.type", value: "CreateTime", kind: oneOf("CreateTime", "LogAppendTime"), synonym: "log.message.timestamp.type",
		doc: "Whether a record's timestamp is the producer's, or the time of the append."},
	{name: "min.cleanable.dirty.ratio", value: "0.5", kind: ratio(), synonym: "log.cleaner.min.cleanable.ratio",
		doc: "Which part of a log that can be compacted is new when that is done."},
	{name: "min.compaction.lag.ms", value: "0", kind: atLeast(0), synonym: "log.cleaner.min.compaction.lag.ms",
		doc: "How long records stay as they are before they are compacted."},
	{name: "min.insync.replicas", value: "1", kind: intAtLeast(1), synonym: "min.insync.replicas",
		doc: "How many replicas have a record before it is acknowledged; there is one replica, which is always in sync." + noEffect},
	{name: "preallocate", value: "false", kind: boolean(), synonym: "log.preallocate",
		doc: "Whether files have their full length from the beginning." + noEffect},
	{name: "remote.storage.enable", value: "false", kind: only(kmsg.ConfigTypeBoolean, "false", "there is no tiered storage"),
		doc: "Whether old segments go to remote storage."},
	{name: "retention.bytes", value: "-1", kind: atLeast(-1), synonym: "log.retention.bytes",
		doc: "How many bytes a partition keeps, in whole segments; -1 is all."},
	{name: "retention.ms", value: "604800000", kind: atLeast(-1), synonym: "log.retention.ms",
		doc: "How long records are kept, in whole segments; -1 is for ever."},
	{name: "segment.bytes", value: "1073741824", kind: intAtLeast(14), synonym: "log.segment.bytes",
		doc: "How large a segment becomes. Retention and compaction work on segments that are full."},
	{name: "segment.index.bytes", value: "10485760", kind: intAtLeast(4), synonym: "log.index.size.max.bytes",
		doc: "How large the index of a segment may become." + noEffect},
	{name: "segment.jitter.ms", value: "0", kind: atLeast(0), synonym: "log.roll.jitter.ms",
		doc: "What is subtracted from segment.ms at random." + noEffect},
	{name: "segment.ms", value: "604800000", kind: atLeast(1), synonym: "log.roll.ms",
		doc: "After how long a segment is closed though it is not full."},
	{name: "unclean.leader.election.enable", value: "false", kind: boolean(), synonym: "unclean.leader.election.enable",
		doc: "Whether a replica that is not in sync may lead; there is one replica." + noEffect},
})
