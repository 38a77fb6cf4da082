package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/streams"
)

// Streams is about the stream processing applications of a service: those of the process
// that is asked. It is beside API, because each instance answers for itself: none can speak
// for the others. Local and Client have it.
type Streams interface {
	// StreamsTopology is what an application computes, and where its stores are.
	StreamsTopology(ctx context.Context, application string) (StreamsTopology, error)
	// QueryStore reads what an application has committed into a store. What another
	// instance has is asked there, where the application has an Endpoint; otherwise, and
	// while the store is not ready, it is ErrUnavailable.
	QueryStore(ctx context.Context, q StoreQuery) (StorePage, error)
	// PauseStreams stops processing in this process until ResumeStreams or its restart.
	PauseStreams(ctx context.Context, application string) error
	ResumeStreams(ctx context.Context, application string) error
}

// StreamsStatus is an application in this instance.
type StreamsStatus struct {
	// Application is its id, without the prefix.
	Application string `json:"application"`
	// State is CREATED, REBALANCING, RUNNING, PENDING_SHUTDOWN, NOT_RUNNING,
	// PENDING_ERROR or ERROR.
	State string `json:"state"`
	// Problem is why it ended, or what does not work at the moment; "" where all is well.
	Problem string `json:"problem,omitempty"`
	Paused  bool   `json:"paused,omitempty"`
	Workers int    `json:"workers"`
	// Rate is how many records its sources take per second, those of repartition topics
	// included.
	Rate float64 `json:"rate"`
	// Lag is how many records its tasks are behind.
	Lag int64 `json:"lag"`
	// Records, Commits and Aborts count since the start; an abort is a transaction that was
	// given up and processed again.
	Records int64 `json:"records"`
	Commits int64 `json:"commits"`
	Aborts  int64 `json:"aborts"`
	// CommitMs is how long a commit took on average, LongestCommitMs at most.
	CommitMs        float64 `json:"commitMs"`
	LongestCommitMs float64 `json:"longestCommitMs"`
	// MemoryBytes are used of MemoryLimit; DiskBytes is what stores take.
	MemoryBytes int64         `json:"memoryBytes"`
	MemoryLimit int64         `json:"memoryLimit"`
	DiskBytes   int64         `json:"diskBytes"`
	Tasks       []StreamsTask `json:"tasks"`
	// Nodes are the sums of the tasks here, by name.
	Nodes   []StreamsNode   `json:"nodes"`
	Globals []StreamsGlobal `json:"globals,omitempty"`
	// Restores are stores that are being filled, and copies that follow others.
	Restores []StreamsRestore `json:"restores,omitempty"`
}

// StreamsTask is a task of this instance.
type StreamsTask struct {
	// Task is the number of its sub-topology, "_" and that of its partition.
	Task   string `json:"task"`
	Worker int    `json:"worker"`
	// State is "restoring", "starting" or "running".
	State string `json:"state"`
	// Lag is how many records its inputs are behind.
	Lag int64 `json:"lag"`
	// Processed, Produced, Skipped and DeadLetters count records since the task began;
	// Dropped are those left out by the rules, such as late ones.
	Processed   int64         `json:"processed"`
	Produced    int64         `json:"produced"`
	Skipped     int64         `json:"skipped,omitempty"`
	DeadLetters int64         `json:"deadLetters,omitempty"`
	Dropped     []StreamsDrop `json:"dropped,omitempty"`
	// StreamTime is the highest time it has seen.
	StreamTime time.Time      `json:"streamTime,omitzero"`
	Inputs     []StreamsInput `json:"inputs"`
	Stores     []StreamsStore `json:"stores"`
}

// DroppedRecords is the sum of Dropped.
func (t StreamsTask) DroppedRecords() (n int64) {
	for _, d := range t.Dropped {
		n += d.Count
	}
	return n
}

// StreamsDrop counts records that a node left out.
type StreamsDrop struct {
	Node   string `json:"node"`
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// StreamsInput is where a task stands in a partition; Position and End are -1 where unknown.
type StreamsInput struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Position  int64  `json:"position"`
	End       int64  `json:"end"`
	// Queued records wait in memory.
	Queued int `json:"queued"`
}

// StreamsNode counts records that reached a node; Rate is per second.
type StreamsNode struct {
	Name  string  `json:"name"`
	Count int64   `json:"count"`
	Rate  float64 `json:"rate"`
}

// StreamsStore is what a task's part of a store takes; Keys is -1 where unknown.
type StreamsStore struct {
	Name  string `json:"name"`
	Keys  int64  `json:"keys"`
	Bytes int64  `json:"bytes"`
}

// StreamsGlobal is a store that every instance has all of.
type StreamsGlobal struct {
	Store string `json:"store"`
	Topic string `json:"topic"`
	Keys  int64  `json:"keys"`
	Bytes int64  `json:"bytes"`
}

// StreamsRestore is how far a store is filled from its changelog.
type StreamsRestore struct {
	Task  string `json:"task"`
	Store string `json:"store"`
	Topic string `json:"topic"`
	// Standby says that it is a copy that goes on following.
	Standby bool `json:"standby,omitempty"`
	// Records were taken in; Lag is what is missing, -1 where unknown.
	Records int64  `json:"records"`
	Lag     int64  `json:"lag"`
	Done    bool   `json:"done,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// StreamsTopology is what an application computes.
type StreamsTopology struct {
	// Application is its id, without the prefix.
	Application string `json:"application"`
	// Description is the topology in words, as Kafka Streams describes one.
	Description string        `json:"description"`
	Graph       streams.Graph `json:"graph"`
	// Stores with the instances that have their partitions.
	Stores []streams.StoreInfo `json:"stores"`
}

// StoreQuery selects entries of a store. Keys are text, digits or JSON, as the store's are.
type StoreQuery struct {
	// Application without the prefix.
	Application string `json:"application"`
	Store       string `json:"store"`
	// Key is one key; of a window or session store all of its windows. Without one there
	// are many keys: From and To (both included) or Prefix bound them, the bytes of the
	// key decide.
	Key    *string `json:"key,omitempty"`
	From   string  `json:"from,omitempty"`
	To     string  `json:"to,omitempty"`
	Prefix string  `json:"prefix,omitempty"`
	// TimeFrom and TimeTo bound windows and sessions: ms since 1970, or RFC 3339.
	TimeFrom string `json:"timeFrom,omitempty"`
	TimeTo   string `json:"timeTo,omitempty"`
	Reverse  bool   `json:"reverse,omitempty"`
	// Stale also reads copies, whatever they lack.
	Stale bool `json:"stale,omitempty"`
	// Limit is 100 where zero, at most 1,000.
	Limit int `json:"limit,omitempty"`
	// Cursor is Next of the page before.
	Cursor string `json:"cursor,omitempty"`
}

// MaxStoreEntries is how many entries are answered at a time.
const MaxStoreEntries = 1000

func (q StoreQuery) check() error {
	switch {
	case q.Application == "" || q.Store == "":
		return fmt.Errorf("%w: a query needs an application and a store", ErrInvalid)
	case q.Key != nil && *q.Key == "":
		return fmt.Errorf("%w: the key is empty", ErrInvalid)
	case q.Key != nil && (q.From != "" || q.To != "" || q.Prefix != ""):
		return fmt.Errorf("%w: either a key, or bounds of keys", ErrInvalid)
	case q.Prefix != "" && (q.From != "" || q.To != ""):
		return fmt.Errorf("%w: either a prefix of keys, or from and to", ErrInvalid)
	case q.Limit < 0 || q.Limit > MaxStoreEntries:
		return fmt.Errorf("%w: limit %d is not 1 to %d", ErrInvalid, q.Limit, MaxStoreEntries)
	}
	return nil
}

// StorePage is a part of a store; partition by partition, within each in the order of the
// keys' bytes.
type StorePage struct {
	Entries []StoreEntry `json:"entries"`
	// Next is where to go on, "" at the end.
	Next string `json:"next,omitempty"`
	// Masked names what a masking rule of the console hid.
	Masked []string `json:"masked,omitempty"`
}

// StoreEntry is a key with its value.
type StoreEntry struct {
	Key   json.RawMessage `json:"key"`
	Value json.RawMessage `json:"value"`
	// Timestamp of the value, WindowStart and WindowEnd of a window or session, in ms since
	// 1970.
	Timestamp   int64  `json:"timestamp,omitempty"`
	WindowStart *int64 `json:"windowStart,omitempty"`
	WindowEnd   *int64 `json:"windowEnd,omitempty"`
	// Error is why the bytes could not be shown.
	Error string `json:"error,omitempty"`
}
