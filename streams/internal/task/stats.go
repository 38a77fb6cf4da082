package task

import (
	"cmp"
	"slices"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// counts since the task was made.
type counts struct {
	processed, punctuated, produced, skipped, deadLetters int64
	dropped                                               map[dropKey]int64
}

type dropKey struct{ node, reason string }

// Stats of a task, counted since it was made.
type Stats struct {
	Task plan.TaskID
	// Processed records, Punctuated calls, Produced outputs (without changelogs and dead
	// letters).
	Processed, Punctuated, Produced int64
	// Skipped and DeadLetters are failures by verdict.
	Skipped, DeadLetters int64
	Dropped              []Dropped
	// StreamTime in ms, -1 before the first record.
	StreamTime int64
	Nodes      []NodeCount
	Inputs     []Input
	Stores     []StoreSize
}

// Dropped is how many records a node left out by the rules.
type Dropped struct {
	Node, Reason string
	Count        int64
}

// NodeCount is how many records reached a node.
type NodeCount struct {
	Name  string
	Count int64
}

// Input is the state of a partition.
type Input struct {
	Topic     string
	Partition int32
	// Records and Bytes queued.
	Records int
	Bytes   int64
	// Position is the next offset to be processed, End the one after the broker's last as far
	// as known; -1 unknown.
	Position, End int64
	// Time of the partition, ms, -1 unknown.
	Time int64
}

// StoreSize is what a store takes.
type StoreSize struct {
	Name string
	// Dirty bytes of changes not applied, Bytes and Keys (-1 unknown) of what is.
	Dirty, Bytes, Keys int64
}

func (t *Task) drop(node, reason string) {
	if t.counts.dropped == nil {
		t.counts.dropped = map[dropKey]int64{}
	}
	t.counts.dropped[dropKey{node, reason}]++
}

// Stats are for the owner, as everything else.
func (t *Task) Stats() Stats {
	s := t.Counts()
	for _, st := range t.stores {
		s.Stores = append(s.Stores, StoreSize{st.plan.Name, st.state.Dirty(), st.space.Size(), st.space.Keys()})
	}
	return s
}

// Counts are the Stats without those of the stores, which take longer.
func (t *Task) Counts() Stats {
	s := Stats{
		Task: t.cfg.ID, StreamTime: t.streamTime, Processed: t.counts.processed, Punctuated: t.counts.punctuated,
		Produced: t.counts.produced, Skipped: t.counts.skipped, DeadLetters: t.counts.deadLetters,
	}
	for d, n := range t.counts.dropped {
		s.Dropped = append(s.Dropped, Dropped{d.node, d.reason, n})
	}
	slices.SortFunc(s.Dropped, func(a, b Dropped) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Reason, b.Reason))
	})
	for _, n := range t.nodes {
		if n.instance.Count != nil {
			s.Nodes = append(s.Nodes, NodeCount{n.plan.Name, n.instance.Count()})
		}
	}
	for _, q := range t.queues {
		s.Inputs = append(s.Inputs, Input{
			Topic: q.topic, Partition: q.partition, Records: q.records, Bytes: q.bytes, Position: q.position, End: q.end, Time: q.partitionTime,
		})
	}
	return s
}
