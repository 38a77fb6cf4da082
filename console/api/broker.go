package api

import (
	"context"
	"time"
)

// LocalBroker is the broker in the console's process, which tells more than Kafka's protocol
// does.
type LocalBroker interface {
	BrokerState(ctx context.Context) (BrokerState, error)
	BrokerTopics(ctx context.Context, q TopicQuery) (Page[BrokerTopic], error)
	BrokerTopic(ctx context.Context, name string) (BrokerTopicLog, error)
	// BrokerTransactions are those that are open or ending, the oldest first. Search is a
	// part of the transactional id.
	BrokerTransactions(ctx context.Context, q PageQuery) (Page[BrokerTransaction], error)
}

// BrokerReport is all that a broker tells of itself at a moment.
type BrokerReport struct {
	BrokerState
	Logs []BrokerTopicLog
	Open []BrokerTransaction
}

// BrokerState is the broker as a whole.
type BrokerState struct {
	ClusterID string `json:"clusterId"`
	// Addr it listens on.
	Addr    string `json:"addr"`
	DataDir string `json:"dataDir,omitempty"`
	// Durability is what an acknowledged record survives: with "fsync" a power cut, with
	// "os" a kill of the process, with "memory" nothing.
	Durability string `json:"durability"`
	// Failed says why nothing more is acknowledged; "" while all is well.
	Failed  string    `json:"failed,omitempty"`
	Started time.Time `json:"started"`
	// RecoveryMicros is how long opening the folder took.
	RecoveryMicros int64 `json:"recoveryMicros"`
	Connections    int   `json:"connections"`
	// Traffic since the start.
	Traffic BrokerTraffic `json:"traffic"`
	// Syncs of the disk since the start.
	Syncs int64 `json:"syncs"`
	// Bytes of all logs.
	Bytes int64 `json:"bytes"`
	// Warnings are what opening found: ends that were torn and cut, damage that was set aside.
	Warnings   []string         `json:"warnings"`
	Compaction BrokerCompaction `json:"compaction"`
	Retention  BrokerRetention  `json:"retention"`
	// Topics, partitions and segments that there are, internal ones included.
	Topics     int `json:"topics"`
	Partitions int `json:"partitions"`
	Segments   int `json:"segments"`
	// FailedPartitions take no records any more.
	FailedPartitions int `json:"failedPartitions"`
	// Transactions that are open or ending; LongTransactions are so for too long.
	Transactions     int `json:"transactions"`
	LongTransactions int `json:"longTransactions"`
	// OldestTransaction began then.
	OldestTransaction time.Time `json:"oldestTransaction,omitzero"`
	// Largest topics, by bytes.
	Largest []BrokerTopic `json:"largest"`
}

// BrokerTraffic is what came and went.
type BrokerTraffic struct {
	// Accepted connections, and those that were Refused or closed: there were too many, or
	// what they sent was wrong.
	Accepted int64 `json:"accepted"`
	Refused  int64 `json:"refused"`
	BytesIn  int64 `json:"bytesIn"`
	BytesOut int64 `json:"bytesOut"`
	// Buffered bytes are those of requests that are being read or answered now.
	Buffered int64 `json:"buffered"`
	// Requests by Kafka's names of them.
	Requests map[string]int64 `json:"requests,omitempty"`
}

// BrokerCompaction is what compaction has done since the start.
type BrokerCompaction struct {
	Runs int64 `json:"runs"`
	// BytesBefore were read, and BytesAfter left of them.
	BytesBefore int64 `json:"bytesBefore"`
	BytesAfter  int64 `json:"bytesAfter"`
	// Error of the last run, "" where it went well.
	Error string `json:"error,omitempty"`
}

// BrokerRetention is what was removed for age or size since the start.
type BrokerRetention struct {
	Segments int64 `json:"segments"`
	Bytes    int64 `json:"bytes"`
}

// BrokerTopic is a topic as it is stored.
type BrokerTopic struct {
	Name     string `json:"name"`
	Internal bool   `json:"internal"`
	// Cleanup is its cleanup.policy.
	Cleanup    string `json:"cleanup"`
	Partitions int    `json:"partitions"`
	Segments   int    `json:"segments"`
	Bytes      int64  `json:"bytes"`
	// Dirty bytes are those that compaction has not seen.
	Dirty int64 `json:"dirty"`
	// OpenTransactions hold readers of committed messages back.
	OpenTransactions int `json:"openTransactions"`
	// Problem of a partition, "" where there is none.
	Problem string `json:"problem,omitempty"`
}

// BrokerTopicLog is a topic with its partitions.
type BrokerTopicLog struct {
	BrokerTopic
	// Settings that are the topic's own.
	Settings map[string]string `json:"settings,omitempty"`
	Parts    []BrokerPartition `json:"parts"`
}

// BrokerPartition is a partition as it is stored.
type BrokerPartition struct {
	Partition int32 `json:"partition"`
	// Start and End are offsets; Stable is up to where read_committed readers get.
	Start  int64 `json:"start"`
	Stable int64 `json:"stable"`
	End    int64 `json:"end"`
	Bytes  int64 `json:"bytes"`
	// Dirty bytes are those that compaction has not seen.
	Dirty int64 `json:"dirty"`
	// Producers that are remembered, to know their records when these come twice.
	Producers        int `json:"producers"`
	OpenTransactions int `json:"openTransactions"`
	// Problem says why it takes no records any more; "" while all is well.
	Problem string `json:"problem,omitempty"`
	// Segments from the oldest to the one that is appended to.
	Segments []BrokerSegment `json:"segments"`
}

// BrokerSegment is a file of a log, whose records are at offsets Base up to Next.
type BrokerSegment struct {
	Base  int64 `json:"base"`
	Next  int64 `json:"next"`
	Bytes int64 `json:"bytes"`
	// Newest timestamp in it.
	Newest time.Time `json:"newest,omitzero"`
	// Active is the one that is appended to.
	Active    bool `json:"active"`
	Compacted bool `json:"compacted"`
}

// BrokerTransaction is a transaction that is open or ending.
type BrokerTransaction struct {
	ID         string `json:"id"`
	ProducerID int64  `json:"producerId"`
	Epoch      int16  `json:"epoch"`
	// State is Kafka's: "Ongoing", "PrepareCommit", "PrepareAbort".
	State   string    `json:"state"`
	Started time.Time `json:"started"`
	// TimeoutMillis after its start it is aborted.
	TimeoutMillis int64 `json:"timeoutMillis"`
	// Long says that it is open for so long that somebody should look: readers of committed
	// messages wait for it.
	Long bool `json:"long"`
	// Partitions in it, as topic-0.
	Partitions []string `json:"partitions"`
}
