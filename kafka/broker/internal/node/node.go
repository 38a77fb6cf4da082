// Package node is what one broker holds: a data folder with topics, their settings and
// partitions, and the logs that the coordinators keep what they remember in.
package node

import (
	"context"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/coord"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// Options of a node. FS and Dir are required.
type Options struct {
	FS         vfs.FS
	Dir        string
	Durability commit.Mode
	// Partitions of topics created without a number; default 4.
	Partitions int
	// MaxPartitions of all topics together; default 20,000.
	MaxPartitions int
	// Settings are the broker's own, by Kafka's names (log.retention.ms, …); those
	// of topics go before them.
	Settings map[string]string
	// CompactionMemory bounds the map of keys of the one compaction that runs at a
	// time; default 32 MiB.
	CompactionMemory int
	// MaintainEvery is how often logs are maintained; default 5 s.
	MaintainEvery time.Duration
	Now           func() time.Time // default time.Now
	Logger        *slog.Logger     // default: none
}

// Open locks the folder and opens all that is in it. It fails with vfs.ErrLocked where
// another process has the folder. Nothing runs after an error.
func Open(ctx context.Context, o Options) (*Node, error) { panic("TODO") }

// Node is an open data folder. All methods are safe for concurrent use.
type Node struct{}

// Close makes everything durable and releases the folder. Appends fail from then on.
func (n *Node) Close() error { panic("TODO") }

// Kill releases the folder and writes nothing more, as if the process had died.
func (n *Node) Kill() { panic("TODO") }

// ClusterID is random per folder, in Kafka's form.
func (n *Node) ClusterID() string { panic("TODO") }

// Secret is 32 random bytes that stay with the folder.
func (n *Node) Secret() []byte { panic("TODO") }

// Failed is why nothing more is acknowledged, nil while all is well.
func (n *Node) Failed() error { panic("TODO") }

// Topics are all topics, by name, the internal ones too.
func (n *Node) Topics() []*Topic { panic("TODO") }

// Topic returns a topic, or nil.
func (n *Node) Topic(name string) *Topic { panic("TODO") }

// TopicByID returns a topic, or nil.
func (n *Node) TopicByID(id [16]byte) *Topic { panic("TODO") }

// NewTopic asks for a topic.
type NewTopic struct {
	Name       string
	Partitions int // -1: the default
	Settings   map[string]string
}

// Create makes topics, those that it can, durably, with one write for all. Errors are by
// position; they wrap one of kerr's and say why. With validateOnly nothing is made.
// Topics are the new ones (with validateOnly as they would be).
func (n *Node) Create(topics []NewTopic, validateOnly bool) ([]*Topic, []error) { panic("TODO") }

// Delete deletes topics with their records, durably.
func (n *Node) Delete(names ...string) []error { panic("TODO") }

// AddPartitions gives a topic count partitions in all.
func (n *Node) AddPartitions(topic string, count int, validateOnly bool) error { panic("TODO") }

// SetSettings replaces a topic's own settings, durably.
func (n *Node) SetSettings(topic string, settings map[string]string, validateOnly bool) error {
	panic("TODO")
}

// SetBrokerSettings replaces those settings of the broker that were changed at run time,
// durably; only settings whose Dynamic is set.
func (n *Node) SetBrokerSettings(settings map[string]string, validateOnly bool) error { panic("TODO") }

// BrokerSettings are those of the broker, with defaults, by name.
func (n *Node) BrokerSettings() []Setting { panic("TODO") }

// BrokerSetting is one of them, "" where there is none of the name.
func (n *Node) BrokerSetting(name string) string { panic("TODO") }

// Setting is one setting, as DescribeConfigs tells it.
type Setting struct {
	Name, Value string
	// Own says that the topic, or the broker at run time, has it set; Given that it is
	// of Options.Settings; else it is a default.
	Own, Given bool
	// Dynamic says that it can be changed at run time.
	Dynamic bool
	// Default is what it is if not Own.
	Default string
	Type    int8 // kmsg.ConfigType
	Doc     string
	// Synonym is the broker's setting that is a topic's default, or "".
	Synonym string
}

// Topic is a topic. Its methods are safe for concurrent use.
type Topic struct {
	Name string
	ID   [16]byte
	// Internal topics are the coordinators' logs: clients may read them and not write.
	Internal bool
}

// Partitions are the topic's, by index; the slice is not changed.
func (t *Topic) Partitions() []*Partition { panic("TODO") }

// Partition returns one, or nil.
func (t *Topic) Partition(index int32) *Partition { panic("TODO") }

// Settings are the topic's, with defaults, by name.
func (t *Topic) Settings() []Setting { panic("TODO") }

// MaxMessageBytes is the most bytes of one batch (max.message.bytes).
func (t *Topic) MaxMessageBytes() int { panic("TODO") }

// Partition is one partition with its log.
type Partition struct {
	Topic *Topic
	Index int32
}

// Log is for reading and for telling of it; appends go through Append.
func (p *Partition) Log() *log.Log { panic("TODO") }

// Epoch is the leader epoch: 0, and one more after each start that was no clean one.
func (p *Partition) Epoch() int32 { panic("TODO") }

// Append appends a batch that package batch has split off and verified, and calls done
// as commit.Journal.Append does; done must not block. may, unless nil, is asked in the
// partition's turn, before the append and after all earlier ones: its error is done's.
// Afterwards those who watch are told. b may be used again when Append has returned.
func (p *Partition) Append(b []byte, h batch.Header, may func() error, done func(log.Appended, error)) {
	panic("TODO")
}

// AppendMarker ends a transaction here; else it is Append.
func (p *Partition) AppendMarker(m batch.Marker, done func(log.Appended, error)) { panic("TODO") }

// DeleteRecords raises the log start, and tells those who watch.
func (p *Partition) DeleteRecords(offset int64) (int64, error) { panic("TODO") }

// Watch has news sent to a channel, without blocking, whenever what readers see of
// the partition has changed, or it is gone. The channel has room for one.
func (p *Partition) Watch(news chan<- struct{}) { panic("TODO") }

// Unwatch ends Watch.
func (p *Partition) Unwatch(news chan<- struct{}) { panic("TODO") }

// Gone says that the topic was deleted.
func (p *Partition) Gone() bool { panic("TODO") }

// The coordinators' logs, internal compacted topics of one partition each.
const (
	Offsets  = "__consumer_offsets"
	Txns     = "__transaction_state"
	Security = "__pabal_security" // access rules and credentials; not shown to clients
)

// KeyLog is the log of a coordinator: Append is for its core, and replay for its start.
// Records are those of one of the internal topics.
func (n *Node) KeyLog(name string) coord.Log { panic("TODO") }

// Replay reads the records of an internal topic in order.
func (n *Node) Replay(name string, take func(keylog.Record) error) error { panic("TODO") }

// Stats are what metrics and pages tell.
type Stats struct {
	Recovered  time.Duration // how long Open took
	Recovery   commit.Recovery
	Syncs      uint64 // of the journal
	Topics     int
	Partitions int
	Bytes      int64
	// Compactions that ran, the bytes they read and left, and the last error.
	Compactions                       uint64
	CompactedBefore, CompactedAfter   int64
	RetentionSegments, RetentionBytes int64 // removed for age or size
	LastError                         string
}

// Stats returns them.
func (n *Node) Stats() Stats { panic("TODO") }
