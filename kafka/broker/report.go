package broker

import "time"

// Report is what a broker tells of itself, for pages and metrics. It is a snapshot.
type Report struct {
	ClusterID  string     `json:"clusterId"`
	Addr       string     `json:"addr"`
	DataDir    string     `json:"dataDir,omitempty"`
	Durability Durability `json:"durability"`
	// Failed says why nothing more is acknowledged, or nothing has been for seconds; "" while all
	// is well.
	Failed      string        `json:"failed,omitempty"`
	Started     time.Time     `json:"started"`
	Recovery    time.Duration `json:"recovery"` // how long opening the folder took
	Connections int           `json:"connections"`
	Traffic     TrafficReport `json:"traffic"`
	// Syncs are the journal's since the start; Bytes are those of all logs.
	Syncs uint64 `json:"syncs"`
	Bytes int64  `json:"bytes"`
	// Warnings are what opening found: torn tails that were cut, damage that was set aside.
	Warnings     []string            `json:"warnings"`
	Compaction   CompactionReport    `json:"compaction"`
	Retention    RetentionReport     `json:"retention"`
	Topics       []TopicReport       `json:"topics"`
	Transactions []TransactionReport `json:"transactions"`
}

// TrafficReport is what came and went since the start.
type TrafficReport struct {
	Accepted uint64 `json:"accepted"` // connections
	// Refused are connections that were closed: too many, or for what they sent.
	Refused  uint64 `json:"refused"`
	BytesIn  uint64 `json:"bytesIn"`
	BytesOut uint64 `json:"bytesOut"`
	// Buffered is the bytes of requests that are being read or answered.
	Buffered int64 `json:"buffered"`
	// Requests are counts by Kafka's names of them.
	Requests map[string]uint64 `json:"requests"`
}

// CompactionReport is what compaction has done since the start.
type CompactionReport struct {
	Runs   uint64 `json:"runs"`
	Before int64  `json:"before"` // bytes read
	After  int64  `json:"after"`  // bytes left of them
	Error  string `json:"error,omitempty"`
}

// RetentionReport is what was removed for age or size since the start.
type RetentionReport struct {
	Segments int64 `json:"segments"`
	Bytes    int64 `json:"bytes"`
}

// TopicReport is one topic.
type TopicReport struct {
	Name     string `json:"name"`
	Internal bool   `json:"internal"`
	Bytes    int64  `json:"bytes"`
	// Settings that are the topic's own.
	Settings   map[string]string `json:"settings"`
	Cleanup    string            `json:"cleanup"` // cleanup.policy
	Partitions []PartitionReport `json:"partitions"`
}

// PartitionReport is one partition. Offsets are those after the last record of a kind.
type PartitionReport struct {
	Index            int32           `json:"index"`
	Start            int64           `json:"start"`
	HighWatermark    int64           `json:"highWatermark"`
	Stable           int64           `json:"stable"` // last stable offset
	Bytes            int64           `json:"bytes"`
	Dirty            int64           `json:"dirty"` // bytes that compaction has not seen
	Producers        int             `json:"producers"`
	OpenTransactions int             `json:"openTransactions"`
	Failed           string          `json:"failed,omitempty"`
	Segments         []SegmentReport `json:"segments"`
}

// SegmentReport is one segment, whose records are at offsets Base up to Next.
type SegmentReport struct {
	Base      int64     `json:"base"`
	Next      int64     `json:"next"`
	Bytes     int64     `json:"bytes"`
	Newest    time.Time `json:"newest"` // the largest timestamp
	Active    bool      `json:"active"` // the one that is appended to
	Compacted bool      `json:"compacted"`
}

// TransactionReport is a transaction that is open or ending.
type TransactionReport struct {
	ID         string        `json:"id"`
	ProducerID int64         `json:"producerId"`
	Epoch      int16         `json:"epoch"`
	State      string        `json:"state"`
	Started    time.Time     `json:"started"`
	Timeout    time.Duration `json:"timeout"`
	Partitions []string      `json:"partitions"` // topic-0, …
}
